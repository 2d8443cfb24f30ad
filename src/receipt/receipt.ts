/** What a download returns: the file that it got, and what each replica did for it. */

import type { Evidence, FaultKind } from "../schedule/faults.js";
import type { Standing } from "../schedule/score.js";
import type { Claim } from "../trust/manifest.js";
import type { ReplicaId } from "../trust/quorum.js";

/** One line of a receipt: what a replica claimed, delivered and did wrong. */
export interface ReplicaReceipt {
  readonly address: ReplicaId;
  /** Where it stood at the end; `dissenting`, `missing` and `silent` ones took no part. */
  readonly standing: Standing | "dissenting" | "missing" | "silent";
  /** Why, when that is not `good`. */
  readonly reason: string | undefined;
  /** What it said the file is; `undefined` when it said nothing. */
  readonly claim: Claim | undefined;
  /** Bytes of the file that came from it; each byte of the file counts once. */
  readonly deliveredBytes: number;
  /** Bytes that came from it beside those. */
  readonly wastedBytes: number;
  /** How often each kind of fault was met. */
  readonly faults: Partial<Record<FaultKind, number>>;
  /** What a ban rests on. */
  readonly evidence: Evidence | undefined;
}

/** What a download returns, and can be kept as proof. */
export interface Receipt {
  readonly name: string;
  /** Where the file is now. */
  readonly path: string;
  /** As `sha256:…`. */
  readonly digest: string;
  /** Bytes. */
  readonly size: number;
  /** From the first question to the file in its place. */
  readonly seconds: number;
  /** Bytes that an earlier run had left and that were right. */
  readonly resumedBytes: number;
  /** Bytes that old copies had, and that nobody had to deliver. */
  readonly seededBytes: number;
  /** Of pieces that were fetched twice, what came twice. */
  readonly hedgedBytes: number;
  /** Bytes that came from replicas and are not in the file. */
  readonly wastedBytes: number;
  /** One line for each configured replica, in the order of configuration. */
  readonly replicas: readonly ReplicaReceipt[];
}
