/** Decides which part of the file each replica begins with. */

import { assert } from "../errors.js";
import type { ReplicaId } from "../trust/quorum.js";
import { RangeSet } from "./range.js";

/** A replica, and how much of the work it should get in comparison with the others. */
export interface Share {
  readonly replica: ReplicaId;
  /** Bytes per second, or 1 for all when no rate is known. Positive. */
  readonly weight: number;
}

/**
 * Divides the wanted pieces into one contiguous region a replica, in proportion to its weight.
 * Every piece lands in exactly one region; regions are in the order of the replicas.
 */
export function partition(wanted: RangeSet, shares: readonly Share[]): Map<ReplicaId, RangeSet> {
  assert(shares.length > 0, "there is somebody to divide among");
  const regions = new Map<ReplicaId, RangeSet>();
  let rest = wanted;
  let weightLeft = shares.reduce((sum, { weight }) => sum + weight, 0);
  for (const { replica, weight } of shares) {
    // Where all is given, what is left of the weights may be nothing, too.
    const count = rest.isEmpty ? 0 : Math.round((rest.count * weight) / weightLeft);
    const [region, others] = rest.takeFirst(Math.min(count, rest.count));
    regions.set(replica, region);
    rest = others;
    weightLeft -= weight;
  }
  assert(rest.isEmpty, "a partition leaves nothing over");
  return regions;
}

/**
 * Divides the wanted pieces into `chunks` equal regions; the n-th begins at the n-th replica, and
 * round again.
 */
export function partitionInto(
  chunks: number,
  wanted: RangeSet,
  replicas: readonly ReplicaId[],
): Map<ReplicaId, RangeSet> {
  const regions = new Map<ReplicaId, RangeSet>();
  let rest = wanted;
  for (let chunk = 0; chunk < chunks; chunk++) {
    const [region, others] = rest.takeFirst(Math.ceil(rest.count / (chunks - chunk)));
    const replica = replicas[chunk % replicas.length];
    assert(replica !== undefined, "there is somebody to divide among");
    regions.set(replica, (regions.get(replica) ?? RangeSet.empty).union(region));
    rest = others;
  }
  return regions;
}
