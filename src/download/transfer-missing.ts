/** Hands a transfer what is still missing of a fill. */

import type { PartialOutput } from "../ports.js";
import { TokenBucket } from "../schedule/token-bucket.js";
import type { FillRun } from "./fill-job.js";
import { lateVotes } from "./late-votes.js";
import type { Stop } from "./outcome.js";
import { transfer } from "./transfer.js";

/** Transfers what the scheduler still wants. */
export async function transferMissing(run: FillRun): Promise<Stop | undefined> {
  const { request, resolved, agreed, pieceList, partial } = run;
  const { clock, random } = run.world;
  const { limitRate, intervalMs, timeoutMs, signal, onEvent } = resolved;
  const { agreement, roundTripsMs } = agreed;
  const { scheduler, checkpoint, deliveries, early, support, doubts, chain, hasher } = run;
  return transfer({
    ...{ name: request.name, replicas: request.replicas, agreement, roundTripsMs },
    lateVotes: lateVotes(agreed, { ...request, ...resolved, clock }, random),
    ...{ scheduler, partial, checkpoint, deliveries, early, support, doubts, chain, hasher },
    digests: pieceList.digests,
    pointless: Promise.race([pieceList.pointless, cannotBeOpened(partial)]),
    bucket: limitRate === undefined ? undefined : new TokenBucket(limitRate),
    ...{ clock, intervalMs, timeoutMs, signal, onEvent },
  });
}

/** Rejects if and when it turns out that there is nowhere to write to. */
function cannotBeOpened({ opening }: PartialOutput): Promise<never> {
  return new Promise((_, reject) => opening?.catch(reject));
}
