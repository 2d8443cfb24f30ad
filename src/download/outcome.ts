/** How an attempt under one agreement may end, other than by an error. */

import type { Receipt } from "./progress.js";

export type Outcome =
  /** The file is in its place, and durable. */
  { readonly kind: "done"; readonly got: Got };

/** What a receipt says of the way there, and where the file is. */
export type Got = Omit<Receipt, "name" | "seconds">;
