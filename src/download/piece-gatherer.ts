/** Cuts a stream of chunks into pieces; a piece that lies whole in one chunk is not copied. */

import { bytesOf, type Layout, pieceLength } from "../schedule/pieces.js";

/** Consecutive pieces, and their bytes. */
export interface Gathered {
  readonly piece: number;
  readonly pieces: number;
  readonly content: Uint8Array;
}

export class PieceGatherer {
  readonly #layout: Layout;
  readonly #room: () => Uint8Array;
  #piece: number;
  #buffer: Uint8Array | undefined;
  #filled = 0;

  /** `room`: memory for one more piece, asked for when it is begun; its own, reused, by default. */
  constructor(layout: Layout, first: number, room?: () => Uint8Array) {
    this.#layout = layout;
    this.#piece = first;
    let own: Uint8Array | undefined;
    this.#room = room ?? (() => (own ??= Buffer.allocUnsafeSlow(layout.pieceBytes)));
  }

  /**
   * The pieces that these bytes complete, `most()` at once where they lie there whole. A content is
   * valid until the next one is asked for; one in the given room for as long as whoever gave that
   * leaves it alone.
   */
  *add(bytes: Uint8Array, most = () => 1): Generator<Gathered> {
    let from = 0;
    while (from < bytes.length) {
      const whole = this.#filled > 0 ? 0 : this.#wholePieces(bytes.length - from, most());
      if (whole > 0) {
        const piece = this.#piece;
        this.#piece += whole;
        const { start, end } = bytesOf(this.#layout, { start: piece, end: this.#piece });
        const content = bytes.subarray(from, from + end - start);
        from += end - start;
        yield { piece, pieces: whole, content };
        continue;
      }
      const length = pieceLength(this.#layout, this.#piece);
      const taken = Math.min(length - this.#filled, bytes.length - from);
      const part = bytes.subarray(from, from + taken);
      from += taken;
      if (this.#filled === 0) this.#buffer = this.#room();
      this.#buffer?.set(part, this.#filled);
      this.#filled += taken;
      if (this.#filled < length || this.#buffer === undefined) continue;
      this.#filled = 0;
      yield { piece: this.#piece++, pieces: 1, content: this.#buffer.subarray(0, length) };
    }
  }

  /** How many whole pieces so many bytes begin with, `most` at most. */
  #wholePieces(bytes: number, most: number): number {
    const { size, pieceBytes, pieceCount } = this.#layout;
    const end = this.#piece * pieceBytes + bytes;
    const endPiece = end >= size ? pieceCount : Math.floor(end / pieceBytes);
    return Math.min(most, endPiece - this.#piece);
  }
}
