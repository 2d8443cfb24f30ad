/**
 * Decides what rate a replica delivers at: a decaying average over the time in which bytes could
 * flow.
 */

import { limits } from "../limits.js";

/** Measures bytes per second; forgets with a time constant of `limits.rateMemoryMs`. */
export class RateMeter {
  #bytes = 0;
  #activeMs = 0;
  #lastAt: number | undefined;

  /** Bytes begin to flow: from now on, time without bytes lowers the rate. */
  start(now: number): void {
    this.#lastAt ??= now;
  }

  /** Nothing is asked for any more: time stops counting. */
  stop(now: number): void {
    this.#advance(now);
    this.#lastAt = undefined;
  }

  add(bytes: number, now: number): void {
    this.#advance(now);
    this.#bytes += bytes;
  }

  /** Bytes per second, or `undefined` before there is enough to tell. */
  rate(now: number): number | undefined {
    const waitedMs = this.#lastAt === undefined ? 0 : Math.max(0, now - this.#lastAt);
    const keep = Math.exp(-waitedMs / limits.rateMemoryMs);
    const activeMs = this.#activeMs * keep + waitedMs;
    return activeMs < 20 ? undefined : (this.#bytes * keep * 1000) / activeMs;
  }

  /** Moves every clock by a gap in which we ourselves stood still. */
  shift(gapMs: number): void {
    if (this.#lastAt !== undefined) this.#lastAt += gapMs;
  }

  #advance(now: number): void {
    if (this.#lastAt === undefined) return;
    const elapsedMs = Math.max(0, now - this.#lastAt);
    const keep = Math.exp(-elapsedMs / limits.rateMemoryMs);
    this.#bytes *= keep;
    this.#activeMs = this.#activeMs * keep + elapsedMs;
    this.#lastAt = now;
  }
}
