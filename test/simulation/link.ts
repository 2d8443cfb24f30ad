/**
 * A link in virtual time: what it carries, it carries one chunk after the other, at its rate of the
 * moment.
 */

/** Bytes per second at a time in milliseconds. 0 while it is silent. */
export type RateAt = (ms: number) => number;

/** How finely a changing rate is followed. */
const stepMs = 5;
/** A link that is silent for this long is silent for ever. */
const foreverMs = 3_600_000;

export class Link {
  readonly #rateAt: RateAt;
  #freeAt = 0;

  constructor(rateAt: RateAt) {
    this.#rateAt = rateAt;
  }

  /**
   * The time at which bytes that are ready at `readyAt` have passed; infinite when they never do.
   */
  pass(bytes: number, readyAt: number): number {
    let at = Math.max(readyAt, this.#freeAt);
    let left = bytes;
    const giveUpAt = at + foreverMs;
    while (left > 0) {
      if (at > giveUpAt) return Number.POSITIVE_INFINITY;
      const perMs = this.#rateAt(at) / 1000;
      const untilStep = stepMs - (at % stepMs);
      if (left <= perMs * untilStep) {
        at += left / perMs;
        left = 0;
      } else {
        left -= perMs * untilStep;
        at += untilStep;
      }
    }
    this.#freeAt = at;
    return at;
  }

  /** Keeps the link busy for a while with bytes that nobody wants, but not with more than these. */
  block(now: number, ms: number, bytes: number): void {
    const until = Math.max(this.#freeAt, now) + ms;
    this.#freeAt = Math.min(until, this.pass(bytes, now));
  }
}
