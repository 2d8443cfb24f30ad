/**
 * Judges, once the file is right, what was alleged while a root was doubtful: the right file says
 * which pieces were wrong and which roots. An honest replica is thereby never banned in the end.
 */

import type { Ban } from "../../schedule/discipline.js";
import { digestFromRaw } from "../../trust/digest.js";
import { type Claim, sameClaim } from "../../trust/manifest.js";
import { leafAt, type PieceDigests, rootOf } from "../../trust/merkle.js";
import type { Vote } from "../../trust/quorum.js";
import type { Deliveries } from "../deliveries.js";
import type { Accusation } from "./doubts.js";

/** What is to be judged, and by what. */
export interface OpenCases {
  readonly accusations: readonly Accusation[];
  /** Claims whose root was tried and not proved false. */
  readonly roots: readonly Claim[];
  /** The leaf digests of the right file. */
  readonly truth: PieceDigests;
  readonly votes: readonly Vote[];
  readonly deliveries: Deliveries;
  readonly now: number;
}

/** The bans that the right file justifies. */
export function judge(cases: OpenCases): Ban[] {
  const { accusations, roots, truth, votes, deliveries, now } = cases;
  const byPieces = accusations.flatMap(({ replica, evidence }): Ban[] => {
    const { piece } = evidence;
    if (piece === undefined || deliveries.sourceOf(piece) === replica) return [];
    const isJust = evidence.expected === digestFromRaw(leafAt(truth, piece));
    return isJust ? [{ replica, evidence, why: `served piece ${piece} corrupt` }] : [];
  });
  const expected = rootOf(truth);
  const byRoots = roots.flatMap((claim): Ban[] => {
    if (claim.root === undefined || claim.root === expected) return [];
    const evidence = { piece: undefined, expected, actual: claim.root, atMs: now };
    return votes.flatMap(({ replica, answer }) => {
      if (answer.kind !== "claimed" || !sameClaim(answer.claim, claim)) return [];
      return [{ replica, evidence, why: "claimed a false piece root" }];
    });
  });
  return [...byPieces, ...byRoots];
}
