/** What a transfer is given. */

import type { LeafHasher } from "../hash-ports.js";
import type { Clock, PartialOutput } from "../ports.js";
import type { Scheduler } from "../schedule/scheduler.js";
import type { TokenBucket } from "../schedule/token-bucket.js";
import type { PieceDigests } from "../trust/merkle.js";
import type { Reached, ReplicaId, Vote } from "../trust/quorum.js";
import type { Chain } from "./chain.js";
import type { Checkpoint } from "./checkpoint.js";
import type { Deliveries } from "./deliveries.js";
import type { Doubts } from "./doubt/doubts.js";
import type { Support } from "./doubt/support.js";
import type { EarlyReads } from "./early-reads.js";
import type { Stop } from "./outcome.js";
import type { OnEvent } from "./progress.js";
import type { Replicas } from "./survey.js";

/** What a transfer works with. */
export interface TransferJob {
  readonly name: string;
  readonly agreement: Reached;
  readonly replicas: Replicas;
  /** The votes of replicas that were silent, as they come in. */
  readonly lateVotes: readonly Promise<Vote>[];
  /** Milliseconds that each took to vote; latecomers are added when they have. */
  readonly roundTripsMs?: ReadonlyMap<ReplicaId, number> | undefined;
  readonly support: Support;
  /** Collects what speaks against a doubtful root; `undefined` when the root is not one. */
  readonly doubts: Doubts | undefined;
  readonly deliveries: Deliveries;
  readonly scheduler: Scheduler;
  /** Reads that began with the vote. */
  readonly early?: EarlyReads | undefined;
  /** What the pieces must be, once the list is there; `undefined` when nobody gives pieces. */
  readonly digests: PieceDigests | Promise<PieceDigests> | undefined;
  /** Resolves when something else makes the transfer pointless, and rejects with what ends it. */
  readonly pointless?: Promise<Stop> | undefined;
  readonly partial: Pick<PartialOutput, "sink" | "journal">;
  readonly checkpoint: Checkpoint;
  /** Proves pieces near the frontier of a fast download; else each is hashed by itself. */
  readonly chain?: Chain | undefined;
  /** Hashes pieces on other cores; without it they are hashed where they are received. */
  readonly hasher?: LeafHasher | undefined;
  readonly clock: Clock;
  readonly bucket: TokenBucket | undefined;
  /** Milliseconds between two progress events. */
  readonly intervalMs: number;
  /** Milliseconds without a byte from anybody after which the download ends. */
  readonly timeoutMs: number;
  readonly signal: AbortSignal;
  readonly onEvent: OnEvent;
}
