/**
 * Divides the bytes that all reads may have on their way: one half in equal shares, the other half
 * as loans to connections for which a share is too small.
 */

import { limits } from "../../limits.js";

export class WindowBudget {
  #reads = 0;
  #lentBytes = 0;

  /** A read begins, until `readEnds`. */
  readBegins(): void {
    this.#reads++;
  }

  readEnds(): void {
    this.#reads--;
  }

  /** The window of a read when all that run have the same. */
  get shareBytes(): number {
    const share = Math.floor(limits.receiveBytes / 2 / Math.max(1, this.#reads));
    return Math.min(limits.windowBytes, Math.max(limits.leastWindowBytes, share));
  }

  /** Lends as much of `bytes` as is left, and gives how much that is. */
  borrow(bytes: number): number {
    const lent = Math.max(0, Math.min(bytes, limits.receiveBytes / 2 - this.#lentBytes));
    this.#lentBytes += lent;
    return lent;
  }

  giveBack(bytes: number): void {
    this.#lentBytes -= bytes;
  }
}
