/**
 * Decides the window of the reads on one connection: a share of the budget; and where twice what
 * a round trip carries is more than that, a loan.
 */

import { limits } from "../../limits.js";
import type { WindowBudget } from "./window-budget.js";

/** Bytes come in bursts, so less time than this tells nothing. */
const leastMs = 100;

export class WindowShare {
  readonly #budget: WindowBudget;
  #borrowedBytes = 0;
  #roundTripMs = Number.POSITIVE_INFINITY;
  /** When counting began, and the bytes that came since. */
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

  /**
   * Bytes came. A window that is too small is full in each round trip, so that what a round trip
   * carries is all of it, and twice that is asked for.
   */
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
