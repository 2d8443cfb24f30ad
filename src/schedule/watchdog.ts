/**
 * Decides when a lease has waited long enough: three clocks, none of which counts what is our own
 * doing.
 */

import { limits } from "../limits.js";
import type { Fault } from "./faults.js";

/** What the clocks of one lease show. Milliseconds of the same clock as `now`. */
export interface LeaseClock {
  /** When the lease was asked for. */
  readonly grantedAt: number;
  /** Since when we wait for its next bytes; `undefined` while we are busy with the last ones. */
  readonly waitingSince: number | undefined;
  /** Whether a first byte came. */
  readonly hasBytes: boolean;
  /** When the whole lease must be over. */
  readonly deadlineAt: number;
  /** The replica's usual and worst time to first byte. */
  readonly latencyMs: number;
  readonly worstLatencyMs: number;
  /**
   * The usual time between two of its chunks: a large message on a slow link takes long to show.
   */
  readonly usualGapMs: number;
  /** How often in a row the replica was at fault before: each time it gets twice the time. */
  readonly faultsInARow: number;
  /** Whether any other replica got bytes through since `waitingSince`. */
  readonly othersMoved: boolean;
}

/** Whether a lease is certainly not late, without a look at anybody else: hardly any is. */
export function isInTime(
  { waitingSince, deadlineAt }: Pick<LeaseClock, "waitingSince" | "deadlineAt">,
  now: number,
): boolean {
  const waitedMs = waitingSince === undefined ? 0 : now - waitingSince;
  return now < deadlineAt && waitedMs < Math.min(limits.firstByteMs, limits.idleMs);
}

/**
 * The fault of a lease that is late, or `undefined` while it may go on. When nobody else moves
 * either, the network or we may be at fault, and patience is longer: dropping a replica would then
 * only lose the place in its queue.
 */
export function watch(clock: LeaseClock, now: number): Fault | undefined {
  if (now >= clock.deadlineAt) return late("lease", now - clock.grantedAt);
  if (clock.waitingSince === undefined) return undefined;
  const waitedMs = now - clock.waitingSince;
  const patienceMs = patienceOf(clock) * 2 ** clock.faultsInARow;
  const grantedMs = clock.othersMoved ? patienceMs : Math.max(limits.lonelyMs, patienceMs);
  if (waitedMs < grantedMs) return undefined;
  return late(clock.hasBytes ? "idle" : "first-byte", waitedMs);
}

function patienceOf({ hasBytes, latencyMs, worstLatencyMs, usualGapMs }: LeaseClock): number {
  const gapsMs = limits.idleGaps * usualGapMs;
  return hasBytes
    ? Math.max(limits.idleMs, limits.idleLatencies * latencyMs, gapsMs)
    : Math.max(limits.firstByteMs, limits.firstByteLatencies * worstLatencyMs, gapsMs);
}

/** Milliseconds until a lease of so many bytes at this rate is overdue whatever happens. */
export function leaseDeadlineMs(bytes: number, rateBytesPerSecond: number | undefined): number {
  if (rateBytesPerSecond === undefined) return limits.leaseMs;
  const expectedMs = (bytes / rateBytesPerSecond) * 1000;
  return Math.max(limits.leaseMs, limits.leaseMultiple * expectedMs);
}

function late(clock: "first-byte" | "idle" | "lease", waitedMs: number): Fault {
  return { kind: "late", clock, waitedMs };
}
