/**
 * Decides how much the reads on one connection may have on their way: their share of the memory
 * for all, and more where twice as much as a round trip carries is more, as long as some is left.
 */

import { limits } from "../../limits.js";
import type { WindowBudget } from "./window-budget.js";

/** Bytes come in bursts, so less time than this tells nothing. */
const leastMs = 100;

export class WindowShare {
  readonly #budget: WindowBudget;
  #borrowedBytes = 0;
  #roundTripMs = Number.POSITIVE_INFINITY;
  /** What came since when. */
  #since: number | undefined;
  #cameBytes = 0;

  constructor(budget: WindowBudget) {
    this.#budget = budget;
  }

  /** The window of each read. */
  get windowBytes(): number {
    return Math.min(limits.windowBytes, this.#budget.shareBytes + this.#borrowedBytes);
  }

  /** Something was answered after so long; the soonest answer is nearest to the round trip. */
  answered(ms: number): void {
    this.#roundTripMs = Math.min(this.#roundTripMs, ms);
  }

  /** So many bytes came. With too small a window it is half as large as it should be, or less. */
  came(bytes: number, now: number): void {
    this.#cameBytes += bytes;
    this.#since ??= now;
    const elapsedMs = now - this.#since;
    if (elapsedMs < Math.max(leastMs, 2 * this.#roundTripMs)) return;
    const carriedBytes = (this.#cameBytes * this.#roundTripMs) / elapsedMs;
    this.#since = now;
    this.#cameBytes = 0;
    const neededBytes = Math.min(limits.windowBytes, Math.ceil(2 * carriedBytes));
    const missingBytes = neededBytes - this.windowBytes;
    if (missingBytes > 0) this.#borrowedBytes += this.#budget.borrow(missingBytes);
  }

  /** Nothing more will come. */
  leave(): void {
    this.#budget.giveBack(this.#borrowedBytes);
    this.#borrowedBytes = 0;
  }
}
