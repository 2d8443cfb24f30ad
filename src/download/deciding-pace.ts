/**
 * Keeps deciding from taking up the thread: among 64 replicas it came to half of all there was, and
 * most decisions were that nobody can do more.
 */

import { limits } from "../limits.js";
import type { Clock } from "../ports.js";
import type { Bell } from "./bell.js";

/** A turn of deciding. */
interface Turn {
  readonly since: number;
  readonly clock: Clock;
  /** Whether there is nothing to decide any more. */
  readonly isOver: () => boolean;
}

export class DecidingPace {
  readonly #bell: Bell;
  #isResting = false;
  /** When all turns so far will have had their rests. */
  #paidUntil = Number.NEGATIVE_INFINITY;

  constructor(bell: Bell) {
    this.#bell = bell;
  }

  /**
   * Waits until the bell rings, or for `ms`; and until this turn, now at its end, has had its rest,
   * unless the bell rings and all is over.
   */
  async wait(ms: number, turn: Turn): Promise<void> {
    const { clock, isOver } = turn;
    this.#book(turn);
    await this.#bell.rungWithin(ms, clock);
    this.#isResting = true;
    while (!isOver()) {
      const leftMs = this.#paidUntil - clock.now();
      // A timer takes a millisecond at least.
      if (leftMs < 1) break;
      await this.#bell.rungWithin(leftMs, clock);
    }
    this.#isResting = false;
  }

  /** Somebody could do more: rings the bell, except while nothing is to be decided yet. */
  ring(): void {
    if (!this.#isResting) this.#bell.ring();
  }

  #book({ since, clock }: Turn): void {
    const now = clock.now();
    const unused = Math.max(this.#paidUntil, since - limits.decideRestMs);
    const paidUntil = unused + (1 + limits.decideRests) * (now - since);
    // A slow turn may be a pause of ours.
    this.#paidUntil = Math.min(paidUntil, now + limits.decideRestMs);
  }
}
