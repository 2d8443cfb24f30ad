/**
 * Reads a kept receipt back. It may come from anybody: every field is checked, every text cleaned,
 * and whatever is not as `kept-receipt.ts` writes it is refused.
 */

import { UsageError } from "../errors.js";
import { limits } from "../limits.js";
import type { Evidence, FaultKind } from "../schedule/faults.js";
import { type Claim, type Manifest, manifestOf } from "../trust/manifest.js";
import { nameProblem } from "../trust/name.js";
import { replicaId, sameBytes, type Vote } from "../trust/quorum.js";
import { parseRule } from "../trust/rule.js";
import { Fields } from "./fields.js";
import { type KeptReceipt, receiptFormat } from "./kept-receipt.js";
import type { ReplicaReceipt } from "./receipt.js";

const answers = ["claimed", "missing", "silent"] as const;
const standings = [
  ...["good", "backing-off", "withdrawn", "banned"],
  ...["dissenting", "missing", "silent"],
] as const satisfies readonly ReplicaReceipt["standing"][];

/** Every kind, or this does not compile: one that is not listed would be lost when it is read. */
const faultKinds = Object.keys({
  unreachable: true,
  late: true,
  busy: true,
  hashing: true,
  short: true,
  corrupt: true,
  changed: true,
  missing: true,
  denied: true,
  incompatible: true,
} satisfies Record<FaultKind, true>);

/** `source` names the file in messages. Throws UsageError, in one line, for anything else. */
export function parseReceipt(text: string, source: string): KeptReceipt {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    throw new UsageError(`receipt ${source}: it is no JSON`, { cause: error });
  }
  const fields = new Fields(value, `receipt ${source}: `);
  if (fields.text("format") !== receiptFormat) {
    fields.fail("format", `not ${receiptFormat}: another version of the program made it`);
  }
  const rule = parseRule(fields.checkedText("rule", () => undefined));
  const manifest = readManifest(fields.object("manifest"));
  const needed = fields.whole("needed", limits.replicas);
  const votes = fields.objects("votes", limits.replicas).map(readVote);
  const claimants = votes.filter(
    ({ answer }) => answer.kind === "claimed" && sameBytes(answer.claim, manifest),
  );
  if (claimants.length < Math.max(needed, 1)) {
    const tally = `${claimants.length} claim it, ${needed} are needed`;
    fields.fail("votes", `no quorum for the manifest: ${tally}`);
  }
  return {
    program: fields.text("program"),
    name: fields.checkedText("name", nameProblem),
    path: fields.text("path"),
    manifest,
    rule: rule ?? fields.fail("rule", "no rule"),
    needed,
    votes,
    replicas: fields.objects("replicas", limits.replicas).map(readLine),
    startedAtMs: fields.time("startedAt"),
    finishedAtMs: fields.time("finishedAt"),
    seconds: fields.number("seconds"),
    resumedBytes: fields.whole("resumedBytes"),
    seededBytes: fields.whole("seededBytes"),
    hedgedBytes: fields.whole("hedgedBytes"),
    wastedBytes: fields.whole("wastedBytes"),
  };
}

function readClaim(fields: Fields): Claim {
  const root = fields.has("pieceRoot") ? fields.digest("pieceRoot") : undefined;
  return { digest: fields.digest("digest"), size: fields.whole("size", limits.fileBytes), root };
}

function readManifest(fields: Fields): Manifest {
  const manifest = manifestOf(readClaim(fields));
  if (fields.whole("pieceSize") !== manifest.pieceBytes) {
    fields.fail("pieceSize", `not ${manifest.pieceBytes}, the one for a file of this size`);
  }
  return manifest;
}

function readVote(fields: Fields): Vote {
  const replica = replicaId(fields.text("address"));
  const kind = fields.oneOf("answer", answers);
  switch (kind) {
    case "claimed":
      return { replica, answer: { kind, claim: readClaim(fields.object("claim")) } };
    case "missing":
      return { replica, answer: { kind } };
    case "silent":
      return { replica, answer: { kind, why: fields.text("reason") } };
    default:
      return kind satisfies never;
  }
}

function readLine(fields: Fields): ReplicaReceipt {
  return {
    address: replicaId(fields.text("address")),
    standing: fields.oneOf("standing", standings),
    reason: fields.has("reason") ? fields.text("reason") : undefined,
    claim: fields.has("claim") ? readClaim(fields.object("claim")) : undefined,
    deliveredBytes: fields.whole("deliveredBytes"),
    wastedBytes: fields.whole("wastedBytes"),
    faults: readFaults(fields.object("faults")),
    evidence: fields.has("evidence") ? readEvidence(fields.object("evidence")) : undefined,
  };
}

function readFaults(fields: Fields): Partial<Record<FaultKind, number>> {
  const met = faultKinds.filter((kind) => fields.has(kind));
  return Object.fromEntries(met.map((kind) => [kind, fields.whole(kind)]));
}

function readEvidence(fields: Fields): Evidence {
  return {
    piece: fields.has("piece") ? fields.whole("piece") : undefined,
    expected: fields.digest("expected"),
    actual: fields.digest("actual"),
    atMs: fields.number("atMs"),
  };
}
