/** Decides how long a replica that failed is left alone. */

import { limits } from "../limits.js";

/**
 * Milliseconds to wait after the n-th fault in a row (1 for the first): full jitter, uniform below
 * base × 2^(n−1) up to a cap, so that many clients of one replica do not come back in step.
 * `random` is uniform in [0, 1). Source: AWS Architecture Blog, "Exponential Backoff And Jitter".
 */
export function backoffMs(faultsInARow: number, random: number): number {
  const ceiling = Math.min(limits.backoffCapMs, limits.backoffBaseMs * 2 ** (faultsInARow - 1));
  return random * ceiling;
}

/** Milliseconds that a server's own wish to be left alone is granted. */
export function clampedRetryMs(retryMs: number): number {
  if (!Number.isFinite(retryMs)) return limits.retryMaxMs;
  return Math.min(limits.retryMaxMs, Math.max(limits.retryMinMs, retryMs));
}
