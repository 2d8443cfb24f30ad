/**
 * Gets the list of piece digests from any member of the quorum; the agreed root says whether it is
 * right.
 */

import { OutOfReplicasError } from "../errors.js";
import { limits } from "../limits.js";
import { ReplicaFault } from "../ports.js";
import type { Fault } from "../schedule/faults.js";
import { digestBytes } from "../trust/digest.js";
import { type PieceDigests, rootOf } from "../trust/merkle.js";
import type { Reached, ReplicaId } from "../trust/quorum.js";
import type { Replicas } from "./survey.js";

/** A list that matches the root, and what was learnt of those who were asked before. */
export interface PieceList {
  /** `undefined` when the agreement has no root: then only the whole digest can tell. */
  readonly digests: PieceDigests | undefined;
  readonly faults: readonly { readonly replica: ReplicaId; readonly fault: Fault }[];
}

/**
 * Asks one member after the other until a list has the agreed root. One list serves all replicas:
 * that
 * it has the root makes it as good as the quorum itself.
 */
export async function fetchPieceList(
  agreement: Reached,
  request: { readonly replicas: Replicas; readonly name: string; readonly signal: AbortSignal },
): Promise<PieceList> {
  const { root, digest, pieceCount } = agreement.manifest;
  if (root === undefined) return { digests: undefined, faults: [] };
  if (pieceCount === 0) return { digests: new Uint8Array(0), faults: [] };
  if (pieceCount * digestBytes > limits.pieceListBytes) return { digests: undefined, faults: [] };
  const faults: { replica: ReplicaId; fault: Fault }[] = [];
  for (const member of givers(agreement)) {
    const replica = request.replicas.get(member);
    if (replica === undefined) continue;
    try {
      const asked = { name: request.name, first: 0, count: pieceCount, ifDigest: digest };
      const call = { signal: request.signal, deadlineMs: limits.pieceListMs };
      const digests = await replica.pieces(asked, call);
      const actual = rootOf(digests);
      if (actual === root) return { digests, faults };
      const evidence = { piece: undefined, expected: root, actual };
      const detail = "its piece list does not have the agreed root";
      faults.push({ replica: member, fault: { kind: "corrupt", detail, evidence } });
    } catch (error) {
      request.signal.throwIfAborted();
      if (!(error instanceof ReplicaFault)) throw error;
      faults.push({ replica: member, fault: error.fault });
    }
  }
  throw new OutOfReplicasError(
    `get ${request.name}: not all chunks are downloaded: no replica gave a usable piece list`,
  );
}

/** The members that claim the root themselves; those without pieces have no list to give. */
function givers(agreement: Reached): ReplicaId[] {
  const gives = new Set(
    agreement.votes.flatMap(({ replica, answer }) =>
      answer.kind === "claimed" && answer.claim.root !== undefined ? [replica] : [],
    ),
  );
  return agreement.agreeing.filter((member) => gives.has(member));
}
