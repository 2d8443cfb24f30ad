/** Decides how large the next lease of a replica is. */

import { limits } from "../limits.js";
import type { ReplicaId } from "../trust/quorum.js";
import type { Scoreboard } from "./scoreboard.js";

/**
 * Pieces to ask for so that so many come: of one piece, who ends all reads half way never brings
 * any.
 */
export function piecesAskedFor(pieces: number, broughtShare: number): number {
  return Math.ceil(pieces / Math.max(limits.broughtShareLeast, broughtShare));
}

/** Pieces in the next lease of a replica. */
export function leasePieces(
  scoreboard: Scoreboard,
  { replica, pieceBytes, now }: { replica: ReplicaId; pieceBytes: number; now: number },
): number {
  const { arrivedBytes, streams, broughtShare } = scoreboard.of(replica);
  const rate = scoreboard.knownRate(replica, now);
  if (rate === undefined) {
    // A slow first chunk looks like a far one: the least is the distance.
    const twiceAwaySeconds = (2 * scoreboard.leastLatencyMs(replica)) / 1000;
    const farBytes = limits.firstLeaseRate * twiceAwaySeconds;
    // Whoever delivers a lease too quickly to be measured gets twice as much.
    const bytes = Math.max(limits.firstLeaseBytes, farBytes, 2 * arrivedBytes);
    return Math.max(limits.firstLeasePieces, Math.ceil(bytes / pieceBytes));
  }
  const farMs = limits.leaseLatencies * scoreboard.latencyMs(replica);
  const aimBytes = (rate * Math.max(limits.leaseAimMs, farMs)) / 1000;
  return piecesAskedFor(Math.ceil(aimBytes / streams / pieceBytes), broughtShare);
}
