/** The least time in which anybody could get a file: what every schedule is measured against. */

import type { RateAt } from "../test/simulation/link.js";

/** A replica as physics sees it. */
export interface IdealReplica {
  readonly rateAt: RateAt;
  readonly latencyMs: number;
}

/** Steps of the integration; a schedule that is a step off is 0.1 % off a second. */
const stepMs = 1;

/**
 * min T with Σ ∫ rate_i from latency_i to T = size, in seconds. `capBytesPerSecond` bounds the sum
 * at any moment: what the client's own link can take.
 */
export function idealSeconds(
  size: number,
  replicas: readonly IdealReplica[],
  capBytesPerSecond = Number.POSITIVE_INFINITY,
): number {
  let left = size;
  for (let ms = 0; ms < 3_600_000; ms += stepMs) {
    let perSecond = 0;
    for (const { rateAt, latencyMs } of replicas) {
      if (ms >= latencyMs) perSecond += rateAt(ms);
    }
    const bytes = (Math.min(perSecond, capBytesPerSecond) * stepMs) / 1000;
    if (bytes >= left) return (ms + (left / bytes) * stepMs) / 1000;
    left -= bytes;
  }
  return Number.POSITIVE_INFINITY;
}
