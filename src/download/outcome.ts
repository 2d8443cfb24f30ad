/** How an attempt under one agreement may end, other than by an error. */

import type { Receipt } from "../receipt/receipt.js";
import type { Evidence } from "../schedule/faults.js";

export type Outcome =
  /** The file is in its place, and durable. */
  { readonly kind: "done"; readonly got: Got } | Stop;

/** What makes an attempt pointless, and another one not. */
export type Stop =
  /** Too few replicas still stand by the agreement: the quorum must be asked again. */
  | { readonly kind: "lost-quorum"; readonly why: string }
  /** The root that pieces are judged by contradicts the bytes: decide again, without it. */
  | {
      readonly kind: "root-doubted";
      readonly why: string;
      /** The digest of bytes that the root accepts, when it is not the agreed one: a proof. */
      readonly proof: Evidence | undefined;
    };

/** What a receipt says of the way there, and where the file is. */
export type Got = Omit<Receipt, "name" | "seconds">;
