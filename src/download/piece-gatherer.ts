/** Cuts a stream of chunks into pieces; a piece that lies whole in one chunk is not copied. */

import { type Layout, pieceLength } from "../schedule/pieces.js";

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
   * The pieces that these bytes complete. Each content is valid until the next one is asked for;
   * one in the given room for as long as whoever gave that leaves it alone.
   */
  *add(bytes: Uint8Array): Generator<{ readonly piece: number; readonly content: Uint8Array }> {
    let from = 0;
    while (from < bytes.length) {
      const length = pieceLength(this.#layout, this.#piece);
      const taken = Math.min(length - this.#filled, bytes.length - from);
      const part = bytes.subarray(from, from + taken);
      from += taken;
      if (taken === length) {
        yield { piece: this.#piece++, content: part };
        continue;
      }
      if (this.#filled === 0) this.#buffer = this.#room();
      this.#buffer?.set(part, this.#filled);
      this.#filled += taken;
      if (this.#filled < length || this.#buffer === undefined) continue;
      this.#filled = 0;
      yield { piece: this.#piece++, content: this.#buffer.subarray(0, length) };
    }
  }
}
