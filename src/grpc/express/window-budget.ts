/**
 * Decides what all reads on express connections of a process may have on their way: one half of it
 * in equal shares, the other for those whose share is too small for them.
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

  /** As much of this as is left of what is lent to those whose share is too small for them. */
  borrow(bytes: number): number {
    const lent = Math.max(0, Math.min(bytes, limits.receiveBytes / 2 - this.#lentBytes));
    this.#lentBytes += lent;
    return lent;
  }

  giveBack(bytes: number): void {
    this.#lentBytes -= bytes;
  }
}
