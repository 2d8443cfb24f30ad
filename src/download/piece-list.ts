/**
 * Gets the list of piece digests from any member of the quorum; the agreed root says whether it is
 * right.
 */

import { assert, OutOfReplicasError } from "../errors.js";
import { limits } from "../limits.js";
import { type Clock, type Replica, ReplicaFault } from "../ports.js";
import { clampedRetryMs } from "../schedule/backoff.js";
import { type Fault, faultText } from "../schedule/faults.js";
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

/** What it takes to ask for a piece list. */
export interface PieceListRequest {
  readonly replicas: Replicas;
  readonly name: string;
  readonly clock: Clock;
  readonly signal: AbortSignal;
}

/**
 * Asks one member after the other until a list has the agreed root. One list serves all replicas:
 * that it has the root makes it as good as the quorum itself.
 */
export async function fetchPieceList(
  agreement: Reached,
  request: PieceListRequest,
): Promise<PieceList> {
  const { root, pieceCount } = agreement.manifest;
  if (root === undefined) return { digests: undefined, faults: [] };
  if (pieceCount === 0) return { digests: new Uint8Array(0), faults: [] };
  if (pieceCount * digestBytes > limits.pieceListBytes) return { digests: undefined, faults: [] };
  const faults: { replica: ReplicaId; fault: Fault }[] = [];
  const { clock, signal } = request;
  const patientUntil = clock.now() + limits.pieceListMs;
  let members = givers(agreement);
  while (members.length > 0) {
    const later: ReplicaId[] = [];
    let waitMs: number = limits.retryMaxMs;
    for (const member of members) {
      const answer = await askOne(agreement, member, request);
      if (answer instanceof Uint8Array) return { digests: answer, faults };
      const isPutOff = answer.kind === "busy" || answer.kind === "hashing";
      if (!isPutOff) {
        faults.push({ replica: member, fault: answer });
        continue;
      }
      later.push(member);
      waitMs = Math.min(waitMs, clampedRetryMs(answer.retryMs));
    }
    if (clock.now() + waitMs >= patientUntil) break;
    // Who only asked for patience gets it, once nobody else has the list.
    if (later.length > 0) await clock.sleep(waitMs, signal);
    members = later;
  }
  const why = faults.map(({ replica, fault }) => `${replica} ${faultText(fault)}`).join("; ");
  throw new OutOfReplicasError(
    `get ${request.name}: not all chunks are downloaded: no replica gave a usable piece list (${why})`,
  );
}

/** The list when it has the agreed root, else what is wrong with it. */
async function askOne(
  { manifest }: Reached,
  member: ReplicaId,
  request: PieceListRequest,
): Promise<PieceDigests | Fault> {
  const { root: expected, digest, pieceCount } = manifest;
  const replica: Replica | undefined = request.replicas.get(member);
  assert(replica !== undefined && expected !== undefined, `${member} is a member with a list`);
  try {
    const asked = { name: request.name, first: 0, count: pieceCount, ifDigest: digest };
    const call = { signal: request.signal, deadlineMs: limits.pieceListMs };
    const digests = await replica.pieces(asked, call);
    const actual = rootOf(digests);
    if (actual === expected) return digests;
    const evidence = { piece: undefined, expected, actual, atMs: request.clock.now() };
    return { kind: "corrupt", detail: "its piece list does not have the agreed root", evidence };
  } catch (error) {
    request.signal.throwIfAborted();
    if (!(error instanceof ReplicaFault)) throw error;
    return error.fault;
  }
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
