/**
 * The memory that express connections share: one buffer that sockets are read into, one at a time,
 * and blocks in which the bytes wait for their readers. With 64 replicas, buffers and blocks of
 * their own were most of a download's memory.
 */

import { limits } from "../../limits.js";
import { WindowBudget } from "./window-budget.js";

export class ReadMemory {
  readonly #spare: Buffer[] = [];
  #buffer: Buffer | undefined;
  #users = 0;
  /** Bounds what may be on its way into it. */
  readonly windows = new WindowBudget();

  /** What sockets are read into: its bytes are gone once the callback of that read returns. */
  get buffer(): Buffer {
    this.#buffer ??= Buffer.allocUnsafeSlow(limits.chunkBytes);
    return this.#buffer;
  }

  /** One more connection uses it. */
  join(): void {
    this.#users++;
  }

  /** A connection ended. After the last one, no memory is kept. */
  leave(): void {
    if (--this.#users > 0) return;
    this.#spare.length = 0;
    this.#buffer = undefined;
  }

  /** A block: the one that was given back last, since warm memory is quick. */
  take(): Buffer {
    return this.#spare.pop() ?? Buffer.allocUnsafeSlow(limits.chunkBytes);
  }

  /** Gives a block back. */
  give(block: Buffer): void {
    const isNeeded = this.#users > 0 && this.#spare.length < limits.receiveBytes / block.length;
    if (isNeeded) this.#spare.push(block);
  }
}
