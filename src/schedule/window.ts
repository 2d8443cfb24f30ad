/**
 * Decides which pieces may be leased while the file is taken in order, or a digest follows a fast
 * download: those within a window above the frontier, and to a slow replica none so near that
 * everybody would wait for it.
 */

import { limits } from "../limits.js";
import { type Range, RangeSet } from "./range.js";

/** The first piece that is not settled. */
export function frontierOf(settled: RangeSet): number {
  const [first] = settled.ranges;
  return first?.start === 0 ? first.end : 0;
}

/** Pieces that a window of so many bytes holds: one at least, or nothing could ever be leased. */
export function windowPieces(windowBytes: number, pieceBytes: number): number {
  return Math.max(1, Math.floor(windowBytes / pieceBytes));
}

/**
 * Bytes above the frontier that are enough to keep everybody busy, at this rate of them all; a
 * digest that follows is never further behind. `undefined` where it would gain too little: below
 * that rate, regions leave it a small part of the time to do at the end.
 */
export function horizonBytes(bytesPerSecond: number, latencyMs: number): number | undefined {
  if (bytesPerSecond < limits.followRate) return undefined;
  const perMs = bytesPerSecond / 1000;
  return Math.max(
    Math.min(limits.horizonBytes, limits.horizonMs * perMs),
    limits.horizonLatencies * perMs * latencyMs,
  );
}

/** What of the pool lies in the window, `leadPieces` or more above the frontier. */
export function withinWindow(
  pool: RangeSet,
  frontier: number,
  window: { readonly pieces: number; readonly leadPieces: number },
): RangeSet {
  const reach: Range = { start: frontier + window.leadPieces, end: frontier + window.pieces };
  return pool.intersect(RangeSet.of(reach));
}

/**
 * Pieces by which the frontier moves on while this replica is later with a piece than the soonest
 * one.
 */
export function leadPieces(
  soonMs: readonly number[],
  ownMs: number,
  sum: { readonly rate: number; readonly pieceBytes: number },
): number {
  const laterSeconds = Math.max(0, ownMs - Math.min(ownMs, ...soonMs)) / 1000;
  return Math.floor((laterSeconds * sum.rate) / sum.pieceBytes);
}
