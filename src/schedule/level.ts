/**
 * Decides how what nobody has leased yet is divided once rates are known: so that all end together.
 */

import type { ReplicaId } from "../trust/quorum.js";
import { partition } from "./partition.js";
import type { RangeSet } from "./range.js";

/** A replica that takes its part. */
export interface Worker {
  readonly replica: ReplicaId;
  /** Bytes per second. Positive. */
  readonly rate: number;
  /** Milliseconds before it could begin with anything more. */
  readonly busyMs: number;
}

/**
 * One contiguous region for each that can help, in the order given: with T such that
 * Σ rate_i · (T − busy_i)⁺ is what is wanted, replica i gets rate_i · (T − busy_i)⁺ of it.
 */
export function level(
  wanted: RangeSet,
  workers: readonly Worker[],
  pieceBytes: number,
): Map<ReplicaId, RangeSet> {
  const endMs = levelMs(wanted.count * pieceBytes, workers);
  const shares = workers.flatMap(({ replica, rate, busyMs }) =>
    busyMs < endMs ? [{ replica, weight: rate * (endMs - busyMs) }] : [],
  );
  return shares.length === 0 ? new Map() : partition(wanted, shares);
}

/** When all are done, in milliseconds from now. */
export function levelMs(
  bytes: number,
  workers: readonly Pick<Worker, "rate" | "busyMs">[],
): number {
  const soonest = [...workers].sort((left, right) => left.busyMs - right.busyMs);
  let [rate, begun] = [0, 0];
  let endMs = Number.POSITIVE_INFINITY;
  for (const worker of soonest) {
    if (worker.busyMs >= endMs) break;
    rate += worker.rate;
    begun += worker.rate * worker.busyMs;
    endMs = (bytes * 1000 + begun) / rate;
  }
  return endMs;
}
