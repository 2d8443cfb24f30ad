/**
 * Decides how long to hold bytes back so that a rate is kept. Pure: `now` comes in, a wait goes
 * out.
 */

/** Lets `bytesPerSecond` through on average. Callers queue by the order in which they ask. */
export class TokenBucket {
  readonly #bytesPerMs: number;
  /** The time at which everything let through so far would have taken its share of the rate. */
  #paidUntil = Number.NEGATIVE_INFINITY;
  readonly #burstMs: number;

  /**
   * `burstMs`: how much unused time may be caught up with, so that a late timer does not lower the
   * rate.
   */
  constructor(bytesPerSecond: number, burstMs = 50) {
    this.#bytesPerMs = bytesPerSecond / 1000;
    this.#burstMs = burstMs;
  }

  /** Whether bytes are being held back at this time: then the limit, and nobody else, is slow. */
  isHolding(now: number): boolean {
    return this.#paidUntil > now;
  }

  /** Books `bytes` and gives the milliseconds to wait before they may pass. */
  take(bytes: number, now: number): number {
    this.#paidUntil = Math.max(this.#paidUntil, now - this.#burstMs) + bytes / this.#bytesPerMs;
    return Math.max(0, this.#paidUntil - now);
  }
}
