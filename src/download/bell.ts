/**
 * Wakes a loop that waits for whatever comes first. Rings before a wait are not lost, and count as
 * one.
 */

import type { Clock } from "../ports.js";

export class Bell {
  #hasRung = false;
  #wake: (() => void) | undefined;

  ring(): void {
    this.#hasRung = true;
    this.#wake?.();
  }

  /** Resolves once it has rung, at once if it has since the last wait. One waiter at a time. */
  async rung(): Promise<void> {
    if (!this.#hasRung) {
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
    this.#wake = undefined;
    this.#hasRung = false;
  }

  /** Resolves once it has rung, or after `ms`. */
  async rungWithin(ms: number, clock: Clock): Promise<void> {
    const timer = new AbortController();
    const timeout = clock.sleep(ms, timer.signal).catch(() => {
      // The bell was sooner; the sleep is cut short and says so by rejecting.
    });
    await Promise.race([this.rung(), timeout]);
    timer.abort();
    this.#wake = undefined;
    this.#hasRung = false;
  }
}
