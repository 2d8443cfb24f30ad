/**
 * Decides what rate a replica delivers at, over the time in which bytes could flow: one figure that
 * ignores a hiccup, for planning, and one that follows a collapse at once, for judging what is
 * left.
 */

import { limits } from "../limits.js";

interface Sample {
  /** Milliseconds of flow before it came. */
  readonly at: number;
  readonly bytes: number;
}

/** What may be asked of a meter by who only reads it. */
export type Rates = Pick<RateMeter, "flowMs" | "rate" | "recentRate" | "usualRate">;

/** Measures bytes per second. */
export class RateMeter {
  #bytes = 0;
  #allBytes = 0;
  #weightMs = 0;
  #flowMs = 0;
  #firstBytes = 0;
  /** What they took beyond the way, where that was long. */
  #firstMs = 0;
  #lastAt: number | undefined;
  /** The latest chunks, the one that the window begins after first. */
  #samples: Sample[] = [{ at: 0, bytes: 0 }];
  /** Bytes of all of them but the first. */
  #windowBytes = 0;
  /** Everybody's rate is asked for again and again at one time. */
  #known: { readonly at: number; readonly rate: number | undefined } | undefined;

  readonly #onChange: () => void;

  /** `onChange`: called whenever what it says of one time may be another than before. */
  constructor(onChange: () => void = () => {}) {
    this.#onChange = onChange;
  }

  /** Milliseconds of flow in which it was measured. */
  get flowMs(): number {
    return this.#flowMs;
  }

  /**
   * Bytes begin to flow: from now on, time without bytes lowers the rate. Until the next ones come,
   * it is no more than if they were as many and came now. Where time counts already, so do they.
   * `tookMs`: what they took beyond the way there and back.
   */
  start(now: number, bytes = 0, tookMs = 0): void {
    this.#forget();
    if (this.#lastAt !== undefined) {
      if (bytes > 0) this.add(bytes, now);
      return;
    }
    this.#firstBytes = bytes;
    this.#firstMs = tookMs < limits.slowFirstMs ? 0 : tookMs;
    this.#lastAt = now;
  }

  /** Nothing is asked for any more: time stops counting. */
  stop(now: number): void {
    this.#advance(now);
    this.#lastAt = undefined;
  }

  add(bytes: number, now: number): void {
    this.#advance(now);
    this.#bytes += bytes;
    this.#allBytes += bytes;
    this.#samples.push({ at: this.#flowMs, bytes });
    this.#windowBytes += bytes;
    while (this.#isBeyondWindow()) {
      this.#samples.shift();
      this.#windowBytes -= this.#samples[0]?.bytes ?? 0;
    }
  }

  /**
   * Bytes per second, averaged with a memory of about `limits.rateMemoryMs`; `undefined` before
   * there is enough to tell.
   */
  rate(now: number): number | undefined {
    if (this.#known?.at !== now) this.#known = { at: now, rate: this.#rate(now) };
    return this.#known.rate;
  }

  #rate(now: number): number | undefined {
    const waitedMs = this.#waitedMs(now);
    const keep = Math.exp(-waitedMs / limits.rateMemoryMs);
    const weightMs = this.#weightMs * keep + waitedMs;
    if (this.#allBytes === 0) return this.#mostRate(now);
    return weightMs < limits.rateLeastMs ? undefined : (this.#bytes * keep * 1000) / weightMs;
  }

  /**
   * Bytes per second over the last `limits.rateWindowMs` or `limits.rateWindowChunks` chunks,
   * whichever is longer, and the silence since, beyond their usual gap; `undefined` before there is
   * enough to tell.
   */
  recentRate(now: number): number | undefined {
    if (this.#allBytes === 0) return this.#mostRate(now);
    const waitedMs = this.#waitedMs(now);
    const spanMs = this.#flowMs - (this.#samples[0]?.at ?? 0);
    if (spanMs + waitedMs < limits.rateLeastMs) return undefined;
    const gapMs = spanMs / Math.max(1, this.#samples.length - 1);
    return (this.#windowBytes * 1000) / (spanMs + Math.max(0, waitedMs - gapMs));
  }

  /** Bytes per second over all the time of flow; `undefined` before there is enough to tell. */
  usualRate(now: number): number | undefined {
    const flowMs = this.#flowMs + this.#waitedMs(now);
    return flowMs < limits.rateLeastMs ? undefined : (this.#allBytes * 1000) / flowMs;
  }

  /** Moves every clock by a gap in which we ourselves stood still. */
  shift(gapMs: number): void {
    this.#forget();
    if (this.#lastAt !== undefined) this.#lastAt += gapMs;
  }

  #forget(): void {
    this.#known = undefined;
    this.#onChange();
  }

  /** Before a second chunk came: a faster replica would have sent it. */
  #mostRate(now: number): number | undefined {
    const flowMs = this.#firstMs + this.#flowMs + this.#waitedMs(now);
    return flowMs < limits.rateLeastMs ? undefined : (this.#firstBytes * 1000) / flowMs;
  }

  #waitedMs(now: number): number {
    return this.#lastAt === undefined ? 0 : Math.max(0, now - this.#lastAt);
  }

  #isBeyondWindow(): boolean {
    const second = this.#samples[1];
    if (second === undefined || this.#samples.length <= limits.rateWindowChunks + 1) return false;
    return this.#flowMs - second.at >= limits.rateWindowMs;
  }

  #advance(now: number): void {
    this.#forget();
    const elapsedMs = this.#waitedMs(now);
    if (this.#lastAt === undefined) return;
    const keep = Math.exp(-elapsedMs / limits.rateMemoryMs);
    this.#bytes *= keep;
    this.#weightMs = this.#weightMs * keep + elapsedMs;
    this.#flowMs += elapsedMs;
    this.#lastAt = now;
  }
}
