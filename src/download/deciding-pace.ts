/**
 * Limits the part of the time that goes into deciding: among 64 replicas it was half of what the
 * thread did, and most decisions were that there is nothing to do. Each turn is followed by a rest
 * of several times its length.
 */

import { limits } from "../limits.js";
import type { Clock } from "../ports.js";
import type { Bell } from "./bell.js";

/** One turn of deciding. */
interface Turn {
  readonly since: number;
  readonly clock: Clock;
  /** Whether there is nothing to decide any more. */
  readonly isOver: () => boolean;
}

export class DecidingPace {
  readonly #bell: Bell;
  #isResting = false;
  /** When the rests of all turns so far are over. */
  #paidUntil = Number.NEGATIVE_INFINITY;

  constructor(bell: Bell) {
    this.#bell = bell;
  }

  /**
   * To be called at the end of a turn. Waits until the bell rings, or for `ms`; and then until the
   * rest of this turn is over, unless the bell rings and there is nothing left to decide.
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

  /** A replica could do more: rings the bell, except during a rest. */
  ring(): void {
    if (!this.#isResting) this.#bell.ring();
  }

  #book({ since, clock }: Turn): void {
    const now = clock.now();
    const unused = Math.max(this.#paidUntil, since - limits.decideRestMs);
    const paidUntil = unused + (1 + limits.decideRests) * (now - since);
    // A turn that took very long may have been a pause of our process, which needs no such rest.
    this.#paidUntil = Math.min(paidUntil, now + limits.decideRestMs);
  }
}
