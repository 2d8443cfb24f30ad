/** What a fill is given, and what it makes for itself before it begins. */

import type { LeafHasher, PrefixDigest } from "../hash-ports.js";
import type { PartialOutput } from "../ports.js";
import type { Scheduler } from "../schedule/scheduler.js";
import type { AttemptRun } from "./attempt-job.js";
import type { Chain } from "./chain.js";
import type { Checkpoint } from "./checkpoint.js";
import type { ComingList } from "./coming-list.js";
import type { Deliveries } from "./deliveries.js";

/** What is filled, and from what. */
export interface FillJob extends AttemptRun {
  readonly pieceList: ComingList;
  readonly partial: PartialOutput;
}

/** A fill under way. */
export interface FillRun extends FillJob {
  readonly scheduler: Scheduler;
  readonly checkpoint: Checkpoint;
  readonly deliveries: Deliveries;
  /** The running digest of the whole; `undefined` where bytes are handed over. */
  readonly prefix: PrefixDigest | undefined;
  /** Proves pieces by that digest while the file comes. */
  readonly chain: Chain | undefined;
  /** Hashes pieces on other cores, where that is worth threads. */
  readonly hasher: LeafHasher | undefined;
}
