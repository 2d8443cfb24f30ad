/** The flags of `get`, parsed. */

import type { Rule } from "../index.js";
import type { ReplicaFlags } from "./replicas.js";

export interface GetFlags extends ReplicaFlags {
  readonly output: string;
  readonly interval?: number | undefined;
  readonly resume?: boolean | undefined;
  readonly force?: boolean | undefined;
  /** Paths, or `false` for none; neither: the existing output with `--force`. */
  readonly seed?: readonly string[] | boolean | undefined;
  readonly chunks?: number | undefined;
  readonly quorum?: Rule | undefined;
  readonly digest?: Rule | undefined;
  readonly limitRate?: number | undefined;
  readonly maxSize?: number | undefined;
  readonly timeout?: number | undefined;
  readonly hashThreads?: number | undefined;
  /** A file that keeps the receipt. */
  readonly receipt?: string | undefined;
  readonly json?: boolean | undefined;
}
