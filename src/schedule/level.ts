/**
 * Decides how what nobody has leased yet is divided once rates are known: so that all end together.
 */

import type { ReplicaId } from "../trust/quorum.js";
import { partition, type Share } from "./partition.js";
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
  const shares = wholePieces(wanted.count, workers, pieceBytes);
  return shares.length === 0 ? new Map() : partition(wanted, shares);
}

/**
 * How many pieces each gets: as many as it would have delivered by the common end, and of those
 * left over, one by one, who would have it first. Rounding alone once gave a piece to a replica
 * that took longer for it than all the others for the rest.
 */
function wholePieces(count: number, workers: readonly Worker[], pieceBytes: number): Share[] {
  const endMs = levelMs(count * pieceBytes, workers);
  const shares = workers.map(({ replica, rate, busyMs }) => {
    const pieceMs = (pieceBytes * 1000) / rate;
    const weight = Math.max(0, Math.floor((endMs - busyMs) / pieceMs));
    return { replica, busyMs, pieceMs, weight };
  });
  if (shares.length === 0) return [];
  const nextMs = (one: (typeof shares)[number]) => one.busyMs + (one.weight + 1) * one.pieceMs;
  let left = count - shares.reduce((sum, { weight }) => sum + weight, 0);
  for (; left > 0; left--) {
    const first = shares.reduce((so, one) => (nextMs(one) < nextMs(so) ? one : so));
    first.weight++;
  }
  return shares.filter(({ weight }) => weight > 0);
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
