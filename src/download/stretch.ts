/** Holds consecutive pieces of a lease that are right until they are written, in one write. */

import { pieceIndex } from "../schedule/pieces.js";
import type { LeaseReading } from "./read-lease.js";

interface Held {
  readonly piece: number;
  readonly digest: Uint8Array;
}

/** What a stretch is written with. */
type Writing = Pick<LeaseReading, "lease" | "sink" | "signal" | "scheduler" | "onPiece">;

export class Stretch {
  readonly #writing: Writing;
  readonly #pieceBytes: number;
  readonly #pieces: number;
  #memory: Uint8Array | undefined;
  #held: Held[] = [];
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
    this.#memory ??= Buffer.allocUnsafeSlow(this.#pieces * this.#pieceBytes);
    const start = this.#content.length;
    return this.#memory.subarray(start, start + this.#pieceBytes);
  }

  /** Holds a piece that is right. It must be the next one, and there must be room. */
  hold(piece: number, content: Uint8Array, digest: Uint8Array): void {
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
}
