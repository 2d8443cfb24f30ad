/**
 * Decides which pieces of a fast download are left to the running digest of the whole, so that they
 * are hashed once instead of twice: they are written unchecked, and proven when the digest has the
 * value that a prefix up to there must have. Until then such a piece counts for nothing.
 */

import { assert } from "../errors.js";
import type { PrefixDigest } from "../hash-ports.js";
import { limits } from "../limits.js";
import type { Clock, Sink } from "../ports.js";
import type { Lease } from "../schedule/ledger.js";
import { overlap, type Range, RangeSet } from "../schedule/range.js";
import type { Scheduler } from "../schedule/scheduler.js";
import { leafCount, type PieceDigests } from "../trust/merkle.js";

/** What it works with. */
export interface ChainParts {
  readonly prefix: Pick<PrefixDigest, "reached" | "compare">;
  readonly scheduler: Scheduler;
  readonly sink: Pick<Sink, "write">;
  readonly clock: Clock;
}

/** Pieces that were written unchecked. */
interface Unproven {
  readonly pieces: Range;
  readonly since: number;
  readonly resolve: (isProven: boolean) => void;
}

export class Chain {
  readonly #parts: ChainParts;
  #isOn = false;
  /** Unchecked writes under way. */
  readonly #writing = new Set<{ readonly pieces: Range; readonly written: Promise<void> }>();
  /** Pieces that were written unchecked: nobody else may write them unchecked as well. */
  #inPlace = RangeSet.empty;
  #unproven: readonly Unproven[] = [];
  #reachedPieces = 0;
  #provenPieces = 0;
  /** A piece that is wrong where it lies: the digest waits before it until it is settled. */
  #doubted: number | undefined;
  /** A piece that was wrong before, and was settled since. */
  #mended: number | undefined;
  /** Those who waited were told to check for themselves, and nothing was proven since. */
  #isStuck = false;

  constructor(parts: ChainParts) {
    this.#parts = parts;
    this.moved();
  }

  /** From now on pieces may be left to it: their prefixes must have these digests. */
  begin(prefixes: PieceDigests): void {
    const { prefix, scheduler } = this.#parts;
    assert(leafCount(prefixes) === scheduler.layout.pieceCount, "each piece has its prefix");
    this.#isOn = prefix.compare !== undefined;
    prefix.compare?.({
      prefixes,
      onProven: (pieces) => this.#proven(pieces),
      onDoubted: (piece) => this.#doubt(piece),
      onFailed: () => this.#end(),
    });
  }

  /** Whether these pieces of a lease may be written unchecked: the digest would reach them soon. */
  takes(lease: Lease, pieces: Range): boolean {
    const { scheduler, clock } = this.#parts;
    if (!this.#isOn || this.#doubted !== undefined || this.#isStuck) return false;
    // What was reached must stay as it is; and of two copies of a piece, one is checked by itself.
    if (lease.isHedge || pieces.start < this.#reachedPieces) return false;
    const { settledPieces: settled, layout } = scheduler;
    if (settled.overlaps(pieces) || this.#inPlace.overlaps(pieces)) return false;
    if ([...this.#writing].some((other) => overlap(other.pieces, pieces))) return false;
    const rate = scheduler.rate(clock.now());
    const aheadBytes = (pieces.end - this.#provenPieces) * layout.pieceBytes;
    return rate >= limits.chainRate && aheadBytes * 1000 <= rate * limits.chainMs;
  }

  /**
   * Writes pieces unchecked. Then `isProven` resolves with true once they are proven; with false
   * when one may be wrong, or when it takes too long: whoever wrote them checks them itself. It
   * never rejects.
   */
  async write(
    pieces: Range,
    content: Uint8Array,
  ): Promise<{ readonly isProven: Promise<boolean> }> {
    const { sink, scheduler, clock } = this.#parts;
    const written = sink.write(pieces.start * scheduler.layout.pieceBytes, content);
    const writing = { pieces, written };
    this.#writing.add(writing);
    try {
      await written;
      this.#inPlace = this.#inPlace.union(RangeSet.of(pieces));
    } finally {
      this.#writing.delete(writing);
    }
    const isProven = new Promise<boolean>((resolve) => {
      this.#unproven = [...this.#unproven, { pieces, since: clock.now(), resolve }];
    });
    this.moved();
    return { isProven };
  }

  /** Resolves once no unchecked write of these pieces is under way. */
  async quiet(pieces: Range): Promise<void> {
    for (const { pieces: others, written } of this.#writing) {
      if (!overlap(others, pieces)) continue;
      // Who wrote it is told.
      await written.catch(() => {});
    }
  }

  /** Somebody waits for nothing else: small steps are not put off any more. */
  hurry(): void {
    this.#reach("now");
  }

  /** To be called when a piece was settled. */
  moved(): void {
    this.#reach();
  }

  #reach(when?: "now"): void {
    const { prefix, scheduler } = this.#parts;
    const { settledPieces: settled, layout } = scheduler;
    if (this.#doubted !== undefined && settled.has(this.#doubted)) {
      this.#mended = this.#doubted;
      this.#doubted = undefined;
    }
    const inPlace = endOfRun(this.#provenPieces, settled, this.#inPlace);
    this.#reachedPieces = Math.min(inPlace, this.#doubted ?? inPlace);
    prefix.reached(Math.min(layout.size, this.#reachedPieces * layout.pieceBytes), when);
  }

  /** To be called now and then: those who waited for too long check for themselves. */
  poll(now: number): void {
    const [first] = this.#unproven;
    if (first === undefined || now - first.since < limits.chainPatienceMs) return;
    this.#isStuck = true;
    this.#giveUp();
  }

  #proven(pieces: number): void {
    this.#isStuck = false;
    this.#provenPieces = pieces;
    this.#inPlace = this.#inPlace.subtract(RangeSet.of({ start: 0, end: pieces }));
    const isProven = (one: Unproven) => one.pieces.end <= pieces;
    const those = this.#unproven.filter(isProven);
    this.#unproven = this.#unproven.filter((one) => !isProven(one));
    for (const { resolve } of those) resolve(true);
  }

  /** All who wait check for themselves now, which finds out who wrote the wrong piece. */
  #doubt(piece: number): "again" | "enough" {
    // It was checked by itself since, and still does not fit: then the prefixes are wrong.
    const arePrefixesWrong = piece === this.#mended;
    if (!arePrefixesWrong) this.#doubted = piece;
    if (arePrefixesWrong) this.#end();
    else this.#giveUp();
    this.moved();
    return arePrefixesWrong ? "enough" : "again";
  }

  #end(): void {
    this.#isOn = false;
    this.#giveUp();
  }

  #giveUp(): void {
    const those = this.#unproven;
    this.#unproven = [];
    for (const { resolve } of those) resolve(false);
  }
}

/** The first piece from there on that is in none of these sets. */
function endOfRun(from: number, ...sets: readonly RangeSet[]): number {
  let end = from;
  for (let before = -1; before < end; ) {
    before = end;
    for (const { ranges } of sets) {
      for (const range of ranges) if (range.start <= end) end = Math.max(end, range.end);
    }
  }
  return end;
}
