/** What a partial is filled from, and with; and the transfer that fills it. */

import type { LeafHasher, PrefixDigest } from "../hash-ports.js";
import type { PartialOutput } from "../ports.js";
import type { Scheduler } from "../schedule/scheduler.js";
import { TokenBucket } from "../schedule/token-bucket.js";
import type { Agreed } from "./agree.js";
import type { Chain } from "./chain.js";
import type { Checkpoint } from "./checkpoint.js";
import type { ComingList } from "./coming-list.js";
import type { Deliveries } from "./deliveries.js";
import type { Doubts } from "./doubt/doubts.js";
import type { Lessons } from "./doubt/lessons.js";
import type { Support } from "./doubt/support.js";
import type { EarlyReads } from "./early-reads.js";
import { lateVotes } from "./late-votes.js";
import type { ResolvedOptions } from "./options.js";
import type { Stop } from "./outcome.js";
import type { DownloadRequest, DownloadWorld } from "./request.js";
import { transfer } from "./transfer.js";

/** What a partial is filled from, and with. */
export interface Filling {
  readonly request: DownloadRequest;
  readonly world: Pick<DownloadWorld, "clock" | "random" | "seeds" | "startLeafHasher">;
  readonly resolved: ResolvedOptions;
  readonly agreed: Agreed;
  readonly pieceList: ComingList;
  readonly partial: PartialOutput;
  /** Reads that began with the vote. */
  readonly early: EarlyReads;
  readonly support: Support;
  /** What speaks against the root; `undefined` when it is beyond doubt, or there is none. */
  readonly doubts: Doubts | undefined;
  readonly lessons: Lessons;
}

/** A filling under way. */
export interface Filler extends Filling {
  readonly scheduler: Scheduler;
  readonly checkpoint: Checkpoint;
  readonly deliveries: Deliveries;
  /** The whole digest in the making, where that is worth a thread. */
  readonly prefix: PrefixDigest | undefined;
  /** What that proves while the file comes. */
  readonly chain: Chain | undefined;
  /** Hashes pieces on other cores, where that is worth threads. */
  readonly hasher: LeafHasher | undefined;
}

/** Transfers what the scheduler still wants. */
export async function transferMissing(filler: Filler): Promise<Stop | undefined> {
  const { request, resolved, agreed, pieceList, partial } = filler;
  const { clock, random } = filler.world;
  const { limitRate, intervalMs, timeoutMs, signal, onEvent } = resolved;
  const { agreement, roundTripsMs } = agreed;
  const { scheduler, checkpoint, deliveries, early, support, doubts, chain, hasher } = filler;
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
