/**
 * Collects consecutive pieces of a lease, so that they are checked and written together; or leaves
 * them to the chain.
 */

import type { LeafHasher } from "../hash-ports.js";
import { limits } from "../limits.js";
import { bytesOf, pieceIndex } from "../schedule/pieces.js";
import type { Range } from "../schedule/range.js";
import { leafAt, leafCount, leavesOf, type PieceDigests } from "../trust/merkle.js";
import type { Chain } from "./chain.js";
import { type Checked, checkPieces } from "./check-pieces.js";
import type { LeaseReading } from "./lease-reading.js";
import { orAborted } from "./or-aborted.js";
import type { Gathered } from "./piece-gatherer.js";

/** What a stretch is written with. */
type Writing = Pick<
  LeaseReading,
  | ("lease" | "digests" | "sink" | "signal" | "scheduler" | "clock")
  | ("spare" | "hasher" | "chain" | "onPiece" | "onUnproven")
>;

export class Stretch {
  readonly #writing: Writing;
  readonly #pieceBytes: number;
  readonly #pieces: number;
  #memory: Uint8Array | undefined;
  /** The first piece that is held, and how many are. */
  #first = 0;
  #held = 0;
  /** Since when the first of them is. */
  #heldAt = 0;
  /** The timer of `writtenInSilence`: one for all chunks, since one for each cost more. */
  #nap: Promise<boolean> | undefined;
  readonly #over = new AbortController();
  /** Resolves once all that was left to the chain is settled. */
  #settling: Promise<void> | undefined;
  /** The bytes of the held pieces: in `#memory`, or still in their chunk when one is held. */
  #content: Uint8Array = new Uint8Array();

  /** `pieces`: how many are held at most, 1 or more. */
  constructor(writing: Writing, pieces: number) {
    this.#writing = writing;
    this.#pieceBytes = writing.scheduler.layout.pieceBytes;
    this.#pieces = pieces;
  }

  get isFull(): boolean {
    return this.#held >= this.#pieces;
  }

  /** Memory right behind the held pieces: a piece that is gathered there is not copied again. */
  room(): Uint8Array {
    return this.#room(1);
  }

  #room(pieces: number): Uint8Array {
    this.#memory ??= this.#writing.spare.take(this.#pieces * this.#pieceBytes);
    const start = this.#content.length;
    return this.#memory.subarray(start, start + pieces * this.#pieceBytes);
  }

  /**
   * How many pieces `hold` takes at once, 1 or more. Several that lie whole in one chunk are taken
   * as they lie there, unless each must be written alone.
   */
  get most(): number {
    const { digests, sink } = this.#writing;
    if (digests === undefined || sink.handoff !== undefined) return 1;
    if (this.#pieces > 1) return this.#pieces - this.#held;
    return Math.max(1, Math.floor(limits.stretchBytes / this.#pieceBytes));
  }

  /** Holds pieces, which must follow those that are held; at most `most`. */
  hold({ piece, pieces, content }: Gathered): void {
    if (this.#held === 0) {
      this.#first = piece;
      this.#heldAt = this.#writing.clock.now();
    }
    this.#held += pieces;
    if (this.#pieces === 1) {
      this.#content = content;
      return;
    }
    const room = this.#room(pieces);
    const isInPlace = content.buffer === room.buffer && content.byteOffset === room.byteOffset;
    if (!isInPlace) room.set(content);
    const { buffer, byteOffset } = room;
    const start = byteOffset - this.#content.length;
    this.#content = new Uint8Array(buffer, start, this.#content.length + content.length);
  }

  /**
   * Passes the chunks on. When the next one does not come for long, what is held is written: a
   * replica that falls silent would otherwise keep back pieces that it has delivered.
   */
  async *writtenInSilence<Chunk>(chunks: AsyncIterable<Chunk>): AsyncGenerator<Chunk> {
    const iterator = chunks[Symbol.asyncIterator]();
    let isAsking = false;
    try {
      for (;;) {
        const next = iterator.next();
        isAsking = true;
        if (this.#held > 0 && (await this.#isLate(next))) await this.write();
        const { done, value } = await next;
        isAsking = false;
        if (done) return;
        yield value;
      }
    } finally {
      // Where a write failed, the next chunk may never come: that is not waited for.
      const returned = iterator.return?.();
      if (isAsking) returned?.catch(() => {});
      else await returned;
    }
  }

  async #isLate(next: Promise<unknown>): Promise<boolean> {
    const { clock } = this.#writing;
    const came = next.then(
      () => true,
      () => true,
    );
    for (;;) {
      const leftMs = this.#heldAt + limits.stretchMs - clock.now();
      if (leftMs <= 0) return true;
      this.#nap ??= this.#sleep(leftMs);
      if (await Promise.race([came, this.#nap])) return false;
    }
  }

  /**
   * Checks what is held, writes what is right and settles it, but for pieces that a cut took from
   * this lease. Pieces that are left to the chain are settled once they are proven. Throws a
   * ReplicaFault for the first wrong piece, now or among those that the chain did not prove; pieces
   * behind it are lost.
   */
  async write(): Promise<void> {
    const { sink, chain, lease } = this.#writing;
    const first = this.#first;
    const content = this.#content.subarray(0, this.#leftToUs(this.#held));
    this.#held = 0;
    this.#content = new Uint8Array();
    if (content.length === 0) return;
    const pieces = { start: first, end: first + Math.ceil(content.length / this.#pieceBytes) };
    if (chain?.takes(lease, pieces)) return this.#leaveToChain(pieces, content, chain);
    await this.settled();
    const isShared = content.buffer === this.#memory?.buffer;
    const hasher = isShared ? this.#writing.hasher : undefined;
    const { leaves, wrong } = await this.#check(first, content, hasher);
    const right = content.subarray(0, this.#leftToUs(leafCount(leaves)));
    await chain?.quiet(pieces);
    if (right.length > 0) await sink.write(first * this.#pieceBytes, right);
    this.#settle(first, leaves);
    if (wrong !== undefined) throw wrong;
  }

  /** Resolves once all that was written is settled; throws as `write` does. */
  async settled(): Promise<void> {
    if (this.#settling === undefined) return;
    const { chain, signal } = this.#writing;
    chain?.hurry();
    await orAborted(this.#settling, signal);
    this.#settling = undefined;
  }

  async #leaveToChain(pieces: Range, content: Uint8Array, chain: Chain): Promise<void> {
    const { lease, onUnproven } = this.#writing;
    const { isProven } = await chain.write(pieces, content);
    const settling = this.#settleProven(pieces, isProven, this.#settling);
    // Whoever waits for it next gets the failure.
    settling.catch(() => {});
    this.#settling = settling;
    onUnproven?.(lease);
  }

  async #settleProven(
    pieces: Range,
    isProven: Promise<boolean>,
    before: Promise<void> | undefined,
  ): Promise<void> {
    await before;
    const { signal } = this.#writing;
    const expected = await this.#expected();
    const isAsExpected = expected !== undefined && (await isProven);
    signal.throwIfAborted();
    if (!isAsExpected) return this.#checkInPlace(pieces);
    this.#settle(pieces.start, leavesOf(expected, pieces));
  }

  /** Reads back and checks what was left to the chain, and was not proven by it. */
  async #checkInPlace(pieces: Range): Promise<void> {
    const { sink, scheduler } = this.#writing;
    const { start, end } = bytesOf(scheduler.layout, pieces);
    const content = Buffer.allocUnsafeSlow(end - start);
    const length = await sink.read(start, content);
    const { leaves, wrong } = await this.#check(pieces.start, content.subarray(0, length));
    this.#settle(pieces.start, leaves);
    if (wrong !== undefined) throw wrong;
  }

  #settle(first: number, leaves: PieceDigests): void {
    const { lease, signal, onPiece } = this.#writing;
    for (let index = 0; index < leafCount(leaves); index++) {
      signal.throwIfAborted();
      // A cut while it was written: those are somebody else's now.
      const piece = pieceIndex(first + index);
      if (piece < lease.end) onPiece(lease, piece, leafAt(leaves, index));
    }
  }

  /** Bytes of the first `pieces` held pieces, without those that a cut has taken meanwhile. */
  #leftToUs(pieces: number): number {
    const ours = Math.min(pieces, this.#writing.lease.end - this.#first);
    return Math.max(0, ours) * this.#pieceBytes;
  }

  async #check(first: number, content: Uint8Array, hasher?: LeafHasher): Promise<Checked> {
    const pieces = { first, content, pieceBytes: this.#pieceBytes };
    const atMs = this.#writing.clock.now();
    return checkPieces(pieces, await this.#expected(), { hasher, atMs });
  }

  async #expected(): Promise<PieceDigests | undefined> {
    const { digests, signal } = this.#writing;
    return digests instanceof Promise ? orAborted(digests, signal) : digests;
  }

  /** Drops what is held and gives the memory back. What is written may still be settled. */
  end(): void {
    this.#over.abort();
    if (this.#memory !== undefined) this.#writing.spare.giveBack(this.#memory);
    this.#memory = undefined;
  }

  async #sleep(ms: number): Promise<boolean> {
    await this.#writing.clock.sleep(ms, this.#over.signal).catch(() => {
      // The lease is over, and so is the wait.
    });
    this.#nap = undefined;
    return false;
  }
}
