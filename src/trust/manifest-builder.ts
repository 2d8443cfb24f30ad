/** Says what a file is from its bytes in order: digest, pieces and prefixes in one pass. */

import type { Hash } from "node:crypto";
import { assert } from "../errors.js";
import { DigestBuilder, digestBytes } from "./digest.js";
import { type FileManifest, pieceBytesFor } from "./manifest.js";
import { rootOf, startLeaf } from "./merkle.js";

export class ManifestBuilder {
  readonly #size: number;
  readonly #pieceBytes: number;
  readonly #pieces: Uint8Array;
  readonly #prefixes: Uint8Array;
  readonly #whole = new DigestBuilder();
  #leaf: Hash | undefined;
  #added = 0;

  /**
   * `size`: bytes that will be added. `pieceBytes`: the protocol's for that size, unless said
   * otherwise.
   */
  constructor(size: number, pieceBytes: number = pieceBytesFor(size)) {
    this.#size = size;
    this.#pieceBytes = pieceBytes;
    this.#pieces = new Uint8Array(Math.ceil(size / pieceBytes) * digestBytes);
    this.#prefixes = new Uint8Array(this.#pieces.length);
  }

  /** Adds the next bytes. */
  add(bytes: Uint8Array): void {
    assert(bytes.length <= this.#size - this.#added, "no more bytes come than were announced");
    let from = 0;
    while (from < bytes.length) {
      const intoPiece = this.#added % this.#pieceBytes;
      const taken = Math.min(this.#pieceBytes - intoPiece, bytes.length - from);
      const part = bytes.subarray(from, from + taken);
      this.#whole.add(part);
      this.#leaf ??= startLeaf();
      this.#leaf.update(part);
      from += taken;
      this.#added += taken;
      if (this.#added % this.#pieceBytes === 0 || this.#added === this.#size) this.#endPiece();
    }
  }

  /** The manifest, once every byte was added. */
  finish(): FileManifest {
    assert(this.#added === this.#size, "all bytes came");
    const [pieces, prefixes] = [this.#pieces, this.#prefixes];
    return {
      size: this.#size,
      digest: this.#whole.finish(),
      root: rootOf(pieces),
      pieceBytes: this.#pieceBytes,
      pieceCount: pieces.length / digestBytes,
      pieces,
      prefixRoot: rootOf(prefixes),
      prefixes,
    };
  }

  #endPiece(): void {
    const at = (Math.ceil(this.#added / this.#pieceBytes) - 1) * digestBytes;
    if (this.#leaf !== undefined) this.#pieces.set(this.#leaf.digest(), at);
    this.#prefixes.set(this.#whole.soFar(), at);
    this.#leaf = undefined;
  }
}
