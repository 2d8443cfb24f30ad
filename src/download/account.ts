/** What a receipt says of each replica, over all attempts of a download. */

import type { ReplicaReceipt } from "../receipt/receipt.js";
import type { FaultKind } from "../schedule/faults.js";
import type { Scheduler } from "../schedule/scheduler.js";
import type { Score } from "../schedule/score.js";
import type { Reached } from "../trust/quorum.js";
import { aSeed, type Deliveries, earlierRun } from "./deliveries.js";
import type { Lessons } from "./doubt/lessons.js";
import type { Got } from "./outcome.js";

/** A download whose file is right: what an account is made from. */
export interface Finished {
  readonly agreement: Reached;
  readonly scheduler: Scheduler;
  /** With the last attempt counted. */
  readonly lessons: Lessons;
  readonly deliveries: Deliveries;
}

/** The receipt's part that tells who did what: each byte of the file counts once. */
export function account(finished: Finished): Omit<Got, "path" | "digest" | "size"> {
  const { lessons, deliveries } = finished;
  const bytes = deliveries.bytes();
  const replicas = receiptLines(finished, bytes);
  return {
    resumedBytes: bytes.get(earlierRun) ?? 0,
    seededBytes: bytes.get(aSeed) ?? 0,
    hedgedBytes: lessons.hedgedBytes,
    wastedBytes: replicas.reduce((sum, { wastedBytes }) => sum + wastedBytes, 0),
    replicas,
  };
}

/** One line for each configured replica, whether it took part or not. */
function receiptLines(
  { agreement, scheduler, lessons }: Finished,
  bytes: ReturnType<Deliveries["bytes"]>,
): ReplicaReceipt[] {
  const scores = new Map(scheduler.scores.map((score) => [score.replica, score]));
  const { size, digest, root } = agreement.manifest;
  return agreement.votes.map(({ replica, answer }) => {
    const score = scores.get(replica);
    // Who joined late was silent at the vote, and claimed the same later.
    const joined = score === undefined ? undefined : { size, digest, root };
    const past = lessons.pastOf(replica);
    const deliveredBytes = bytes.get(replica) ?? 0;
    const faults: Partial<Record<FaultKind, number>> = Object.fromEntries(past.faults);
    return {
      address: replica,
      ...(score === undefined ? stoodAside(answer) : stands(score)),
      claim: answer.kind === "claimed" ? answer.claim : joined,
      deliveredBytes,
      wastedBytes: past.receivedBytes - deliveredBytes,
      faults,
    };
  });
}

type StandingPart = Pick<ReplicaReceipt, "standing" | "reason" | "evidence">;

function stands({ standing, reason, evidence }: Score): StandingPart {
  return { standing, reason, evidence };
}

function stoodAside(answer: Reached["votes"][number]["answer"]): StandingPart {
  const standing = answer.kind === "claimed" ? "dissenting" : answer.kind;
  const reason = answer.kind === "silent" ? answer.why : undefined;
  return { standing, reason, evidence: undefined };
}
