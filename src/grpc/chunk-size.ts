/** Decides how large the chunks of one read are, by how quickly its reader takes them. */

import { limits } from "../limits.js";

/**
 * The size of a read's next chunk. The first is small, so that on a slow link the first byte is not
 * a whole chunk late; then they grow while they are taken quickly, and shrink when they are not.
 */
export class ChunkSize {
  #bytes: number = limits.firstChunkBytes;

  get bytes(): number {
    return this.#bytes;
  }

  /** The last chunk was taken after so long. */
  took(ms: number): void {
    if (ms > limits.slowChunkMs) {
      this.#bytes = Math.max(Math.floor(this.#bytes / 2), limits.chunkFloorBytes);
    } else this.#bytes = Math.min(this.#bytes + this.#step(ms), limits.chunkBytes);
  }

  /**
   * Readers of a busy server get one chunk each in turn, so whoever has the larger ones gets more.
   * By equal steps up and halves down they come to equal ones (Chiu and Jain 1989); left as they
   * are, what chance made of the first seconds would stay.
   */
  #step(ms: number): number {
    if (ms < limits.fastChunkMs) return this.#bytes;
    return this.#bytes < limits.firstChunkBytes ? limits.chunkFloorBytes : limits.firstChunkBytes;
  }
}
