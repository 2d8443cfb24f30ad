/** What the scheduler says: what to do now, and what a settled piece brought about. */

import type { Charge } from "./blame.js";
import type { Fault } from "./faults.js";
import type { Lease } from "./ledger.js";
import type { Range } from "./range.js";

/** What a transfer is to do now. */
export type Decision =
  /** Start reading these bytes. */
  | {
      readonly kind: "read";
      readonly lease: Lease;
      readonly bytes: Range;
      /** Milliseconds for the whole lease. */
      readonly deadlineMs: number;
    }
  /** Stop reading: the lease is closed already. With a fault when its replica is to blame. */
  | { readonly kind: "cancel"; readonly lease: Lease; readonly fault?: Fault };

/** What a settled piece brings about. */
export interface Settlement {
  /** Whether this was the first time: false means that the bytes were wasted. */
  readonly isFirst: boolean;
  /** Leases on the same piece that are of no use any more; they are closed already. */
  readonly losers: readonly Lease[];
  /** Replicas whose guilt this proved; they are banned already. */
  readonly guilty: readonly Charge[];
  /** Whether it is worth asking for decisions before the next tick. */
  readonly runsDry: boolean;
}
