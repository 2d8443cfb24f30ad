/** Holds consecutive pieces of a lease that are right until they are written, in one write. */

import { limits } from "../limits.js";
import { pieceIndex } from "../schedule/pieces.js";
import type { LeaseReading } from "./read-lease.js";

interface Held {
  readonly piece: number;
  readonly digest: Uint8Array;
}

/** What a stretch is written with. */
type Writing = Pick<
  LeaseReading,
  "lease" | "sink" | "signal" | "scheduler" | "clock" | "spare" | "onPiece"
>;

export class Stretch {
  readonly #writing: Writing;
  readonly #pieceBytes: number;
  readonly #pieces: number;
  #memory: Uint8Array | undefined;
  #held: Held[] = [];
  /** Since when the first of them is. */
  #heldAt = 0;
  /** One wakes for all that are held, one after the other: a timer for each cost more. */
  #nap: Promise<boolean> | undefined;
  readonly #over = new AbortController();
  /** The held pieces' bytes: in memory, or a chunk's own when it is a single one. */
  #content: Uint8Array = new Uint8Array();

  /** `pieces`: how many are held at most, 1 or more. */
  constructor(writing: Writing, pieces: number) {
    this.#writing = writing;
    this.#pieceBytes = writing.scheduler.ledger.layout.pieceBytes;
    this.#pieces = pieces;
  }

  get isFull(): boolean {
    return this.#held.length >= this.#pieces;
  }

  /** Memory behind what is held: a piece that is gathered there need not be copied again. */
  room(): Uint8Array {
    this.#memory ??= this.#writing.spare.take(this.#pieces * this.#pieceBytes);
    const start = this.#content.length;
    return this.#memory.subarray(start, start + this.#pieceBytes);
  }

  /** Holds a piece that is right. It must be the next one, and there must be room. */
  hold(piece: number, content: Uint8Array, digest: Uint8Array): void {
    if (this.#held.length === 0) this.#heldAt = this.#writing.clock.now();
    this.#held.push({ piece, digest });
    if (this.#pieces === 1) {
      this.#content = content;
      return;
    }
    const room = this.room();
    const isInPlace = content.buffer === room.buffer && content.byteOffset === room.byteOffset;
    if (!isInPlace) room.set(content);
    const { buffer, byteOffset } = room;
    const start = byteOffset - this.#content.length;
    this.#content = new Uint8Array(buffer, start, this.#content.length + content.length);
  }

  /**
   * The same chunks; what was held for long is written while the next one does not come. A replica
   * that fell silent would otherwise keep others waiting for what is there.
   */
  async *writtenInSilence<Chunk>(chunks: AsyncIterable<Chunk>): AsyncGenerator<Chunk> {
    const iterator = chunks[Symbol.asyncIterator]();
    let isAsking = false;
    try {
      for (;;) {
        const next = iterator.next();
        isAsking = true;
        if (this.#held.length > 0 && (await this.#isLate(next))) await this.write();
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

  /** Writes what is held, and settles it, as far as a cut left it to this lease. */
  async write(): Promise<void> {
    const { lease, sink, signal, onPiece } = this.#writing;
    const held = this.#held.filter(({ piece }) => piece < lease.end);
    const content = this.#content;
    this.#held = [];
    this.#content = new Uint8Array();
    const [first] = held;
    if (first === undefined) return;
    const bytes = content.subarray(0, held.length * this.#pieceBytes);
    await sink.write(first.piece * this.#pieceBytes, bytes);
    for (const { piece, digest } of held) {
      signal.throwIfAborted();
      // A cut while it was written: those are somebody else's now.
      if (piece < lease.end) onPiece(lease, pieceIndex(piece), digest);
    }
  }

  /** Nothing is held any more; what is, is lost. */
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
