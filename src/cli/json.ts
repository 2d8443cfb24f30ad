/** What `--json` prints: one event a line, with names that stay the same between releases. */

import type {
  Agreement,
  Claim,
  DownloadEvent,
  Receipt,
  ReceiptVerification,
  ReplicaId,
  Vote,
} from "../index.js";

/** An event as it is printed; `undefined` for those that are only for eyes. */
export function downloadEventJson(event: DownloadEvent): object | undefined {
  switch (event.event) {
    case "agreement":
      return agreementJson(event.agreement);
    case "receipt":
      return receiptJson(event);
    case "answer":
    case "verifying":
    case "seeding":
    case "rereading":
      return undefined;
    case "merged":
    case "set-aside":
    case "hashing":
    case "resumed":
    case "seed-skipped":
    case "seeded":
    case "joined":
    case "asked-again":
    case "second-opinions":
    case "root-doubted":
    case "fault":
    case "banned":
    case "progress":
      return event;
    default:
      return event satisfies never;
  }
}

/** The verdict, with every replica's claim. `roundTripsMs` when they were measured. */
export function agreementJson(
  agreement: Agreement,
  roundTripsMs?: ReadonlyMap<ReplicaId, number>,
): object {
  const { reached, needed, votes } = agreement;
  const manifest = agreement.reached ? agreement.manifest : undefined;
  const replicas = votes.map((vote) => {
    const { replica, answer } = vote;
    const roundTripMs = roundTripsMs?.get(replica);
    return {
      address: replica,
      standing: standingOf(agreement, vote),
      ...(answer.kind === "claimed" ? { claim: claimJson(answer.claim) } : {}),
      ...(answer.kind === "silent" ? { reason: answer.why } : {}),
      ...(roundTripMs === undefined ? {} : { roundTripMs: Math.round(roundTripMs * 10) / 10 }),
    };
  });
  return {
    event: "agreement",
    reached,
    ...(agreement.reached ? {} : { why: agreement.why }),
    needed,
    configured: votes.length,
    ...(manifest === undefined ? {} : { ...claimJson(manifest), pieceSize: manifest.pieceBytes }),
    replicas,
  };
}

/** Where a replica stands after the vote. */
export function standingOf(
  agreement: Agreement,
  { replica, answer }: Vote,
): "agrees" | "dissents" | "claims" | "missing" | "silent" {
  if (answer.kind !== "claimed") return answer.kind;
  if (!agreement.reached) return "claims";
  return agreement.agreeing.includes(replica) ? "agrees" : "dissents";
}

function receiptJson({ replicas, ...rest }: Receipt): object {
  const lines = replicas.map(({ claim, ...line }) => ({
    ...line,
    ...(claim === undefined ? {} : { claim: claimJson(claim) }),
  }));
  return { event: "receipt", ...rest, replicas: lines };
}

/** The verdict on a file against a kept receipt. */
export function receiptVerificationJson(path: string, verification: ReceiptVerification): object {
  const { isRight, receipt, local, differs } = verification;
  const expected = claimJson(receipt.manifest);
  return { event: "verification", path, isRight, ...claimJson(local), expected, differs };
}

function claimJson({ digest, size, root }: Claim): object {
  return { digest, size, ...(root === undefined ? {} : { pieceRoot: root }) };
}
