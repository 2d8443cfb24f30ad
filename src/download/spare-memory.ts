/**
 * Memory of leases that are over, for the next ones: what is new costs page faults, and for every
 * few tens of MiB of it V8 looks through all that lives.
 */

import { limits } from "../limits.js";

export class SpareMemory {
  readonly #spare: Uint8Array[] = [];
  #spareBytes = 0;
  readonly #allocate: (bytes: number) => Uint8Array;

  /** `allocate`: gives memory when there is none to spare; Node's own by default. */
  constructor(allocate: (bytes: number) => Uint8Array = Buffer.allocUnsafeSlow) {
    this.#allocate = allocate;
  }

  /** At least so many bytes, with anything in them. */
  take(bytes: number): Uint8Array {
    const memory = this.#spare.pop();
    this.#spareBytes -= memory?.length ?? 0;
    return memory !== undefined && memory.length >= bytes ? memory : this.#allocate(bytes);
  }

  /** Nobody may use it any more. */
  giveBack(memory: Uint8Array): void {
    if (this.#spareBytes + memory.length > limits.spareBytes) return;
    this.#spare.push(memory);
    this.#spareBytes += memory.length;
  }
}
