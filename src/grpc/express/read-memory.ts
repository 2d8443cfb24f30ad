/**
 * The memory that all express connections of a process read into: one buffer for whichever socket
 * is read just now, and the blocks in which what came waits; and how it is shared out. With 64
 * replicas, memory of their own was most of what a download held.
 */

import { limits } from "../../limits.js";

export class ReadMemory {
  readonly #spare: Buffer[] = [];
  #buffer: Buffer | undefined;
  #users = 0;
  #reads = 0;
  #lentBytes = 0;

  /** What a socket is read into; whoever is told of it is done with it when that call returns. */
  get buffer(): Buffer {
    this.#buffer ??= Buffer.allocUnsafeSlow(limits.chunkBytes);
    return this.#buffer;
  }

  /** Somebody may need memory from now on. */
  join(): void {
    this.#users++;
  }

  /** Once nobody needs it any more, none is kept. */
  leave(): void {
    if (--this.#users > 0) return;
    this.#spare.length = 0;
    this.#buffer = undefined;
  }

  /** A block, the one that was used last: warm memory is quick. */
  take(): Buffer {
    return this.#spare.pop() ?? Buffer.allocUnsafeSlow(limits.chunkBytes);
  }

  /** Nobody uses this block any more. */
  give(block: Buffer): void {
    const isNeeded = this.#users > 0 && this.#spare.length < limits.receiveBytes / block.length;
    if (isNeeded) this.#spare.push(block);
  }

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
