/**
 * Memory that somebody is done with, for the next who needs some: what is new costs page faults,
 * and for every few tens of MiB of it V8 looks through all that lives.
 */

import { limits } from "../limits.js";

export class SpareMemory {
  readonly #spare: Uint8Array[] = [];
  #spareBytes = 0;
  readonly #allocate: (bytes: number) => Uint8Array;
  readonly #mostBytes: number;

  /**
   * `allocate`: gives memory when there is none to spare; Node's own by default. `mostBytes`: what
   * is kept, at most.
   */
  constructor(
    allocate: (bytes: number) => Uint8Array = Buffer.allocUnsafeSlow,
    mostBytes: number = limits.spareBytes,
  ) {
    this.#allocate = allocate;
    this.#mostBytes = mostBytes;
  }

  /** At least so many bytes, with anything in them. */
  take(bytes: number): Uint8Array {
    const memory = this.#spare.pop();
    this.#spareBytes -= memory?.length ?? 0;
    return memory !== undefined && memory.length >= bytes ? memory : this.#allocate(bytes);
  }

  /** Nobody may use it any more. */
  giveBack(memory: Uint8Array): void {
    if (this.#spareBytes + memory.length > this.#mostBytes) return;
    this.#spare.push(memory);
    this.#spareBytes += memory.length;
  }
}
