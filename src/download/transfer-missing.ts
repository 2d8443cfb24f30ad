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
  const { agreement, roundTripsMs } = agreed;
  const { limitRate } = resolved;
  return transfer({
    ...run,
    ...request,
    ...resolved,
    agreement,
    roundTripsMs,
    clock,
    lateVotes: lateVotes(agreed, { ...request, ...resolved, clock }, random),
    digests: pieceList.digests,
    pointless: Promise.race([pieceList.pointless, cannotBeOpened(partial)]),
    bucket: limitRate === undefined ? undefined : new TokenBucket(limitRate),
  });
}

/** Rejects if and when it turns out that there is nowhere to write to. */
function cannotBeOpened({ opening }: PartialOutput): Promise<never> {
  return new Promise((_, reject) => opening?.catch(reject));
}
