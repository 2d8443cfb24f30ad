/** How a link's rate goes over time. Megabytes are 10^6 bytes; times are milliseconds. */

import type { RateAt } from "./link.js";

const MB = 1_000_000;

/** Always the same. */
export function steady(megabytes: number): RateAt {
  return () => megabytes * MB;
}

/** Alternates between two rates; `phaseMs` shifts when. */
export function switching(low: number, high: number, periodMs: number, phaseMs: number): RateAt {
  return (ms) => (Math.floor((ms + phaseMs) / periodMs) % 2 === 0 ? low : high) * MB;
}

/** One rate, and from a moment on another; 0 is silence. */
export function changing(before: number, after: number, atMs: number): RateAt {
  return (ms) => (ms < atMs ? before : after) * MB;
}
