/**
 * Decides which pieces are left to the digest of the whole that follows a fast download: it knows
 * what the file's first pieces must be, so that what lies near the frontier is hashed once, where
 * it lies, instead of twice. Until it was, such a piece is in place and counts for nothing.
 */

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

/** Pieces that lie there and were not checked. */
interface Unproven {
  readonly pieces: Range;
  readonly since: number;
  readonly resolve: (isProven: boolean) => void;
}

export class Chain {
  readonly #parts: ChainParts;
  #isOn = false;
  /** Unchecked writes under way, and what they brought: nobody else may write that unchecked. */
  readonly #writing = new Set<{ readonly pieces: Range; readonly written: Promise<void> }>();
  #inPlace = RangeSet.empty;
  #unproven: readonly Unproven[] = [];
  #reachedPieces = 0;
  #provenPieces = 0;
  /** Wrong where it lies: nothing from it on is reached until it is settled. */
  #doubted: number | undefined;
  /** Was wrong before, and was settled since. */
  #mended: number | undefined;
  /** Who waited for long was told that nobody will say, and nothing was proven since. */
  #isStuck = false;

  constructor(parts: ChainParts) {
    this.#parts = parts;
    this.moved();
  }

  /** What the file's first pieces must be is known: from now on pieces may be left to it. */
  begin(prefixes: PieceDigests): void {
    const { prefix, scheduler } = this.#parts;
    if (leafCount(prefixes) !== scheduler.layout.pieceCount) return;
    this.#isOn = prefix.compare !== undefined;
    prefix.compare?.({
      prefixes,
      onProven: (pieces) => this.#proven(pieces),
      onDoubted: (piece) => this.#doubt(piece),
      onFailed: () => this.#end(),
    });
  }

  /** Whether these pieces of a lease, once written, would soon be reached. */
  takes(lease: Lease, pieces: Range): boolean {
    const { scheduler, clock } = this.#parts;
    if (!this.#isOn || this.#doubted !== undefined || this.#isStuck) return false;
    // What was reached must stay as it is, and of two copies of a piece one must be checked first.
    if (lease.isHedge || pieces.start < this.#reachedPieces) return false;
    const { settledPieces: settled, layout } = scheduler;
    if (settled.overlaps(pieces) || this.#inPlace.overlaps(pieces)) return false;
    if ([...this.#writing].some((other) => overlap(other.pieces, pieces))) return false;
    const rate = scheduler.rate(clock.now());
    const aheadBytes = (pieces.end - this.#provenPieces) * layout.pieceBytes;
    return rate >= limits.chainRate && aheadBytes * 1000 <= rate * limits.chainMs;
  }

  /**
   * Writes what nobody has checked. Once it lies there, `isProven` says whether it is right: false
   * when it is not, or when nobody will say so soon. Never rejects but for the write.
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

  /** Resolves once no unchecked write could still come after one of these pieces. */
  async quiet(pieces: Range): Promise<void> {
    for (const { pieces: others, written } of this.#writing) {
      if (!overlap(others, pieces)) continue;
      // Who wrote it is told.
      await written.catch(() => {});
    }
  }

  /** Somebody has nothing else to wait for. */
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

  /** To be called now and then: who waits for long is told that nobody will say. */
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

  /** Whoever brought it is found out when it hashes what it left to us. */
  #doubt(piece: number): "again" | "enough" {
    // It was checked by itself since, and is still not what it must be: then the list is wrong.
    const isListWrong = piece === this.#mended;
    if (!isListWrong) this.#doubted = piece;
    if (isListWrong) this.#end();
    else this.#giveUp();
    this.moved();
    return isListWrong ? "enough" : "again";
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
