/**
 * The memory that all express connections of a process read into: one buffer for whichever socket
 * is read just now, and the blocks in which what came waits. With 64 replicas, memory of their own
 * was most of what a download held.
 */

import { limits } from "../../limits.js";
import { WindowBudget } from "./window-budget.js";

export class ReadMemory {
  readonly #spare: Buffer[] = [];
  #buffer: Buffer | undefined;
  #users = 0;
  /** How much may be on its way into it. */
  readonly windows = new WindowBudget();

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
}
