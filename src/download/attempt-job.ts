/** What an attempt is given, and what it makes for itself before it begins. */

import type { Agreed } from "./agree.js";
import type { Doubts } from "./doubt/doubts.js";
import type { Lessons } from "./doubt/lessons.js";
import type { Support } from "./doubt/support.js";
import type { EarlyReads } from "./early-reads.js";
import type { ResolvedOptions } from "./options.js";
import type { DownloadRequest, DownloadWorld } from "./request.js";

/** What is attempted, and with what. */
export interface AttemptJob {
  readonly request: DownloadRequest;
  readonly world: DownloadWorld;
  readonly resolved: ResolvedOptions;
  readonly agreed: Agreed;
  /** Reads that began with the vote. */
  readonly early: EarlyReads;
  /** What was learnt before; this attempt adds to it. */
  readonly lessons: Lessons;
}

/** An attempt under way. */
export interface AttemptRun extends AttemptJob {
  /** Who still stands by the agreement. */
  readonly support: Support;
  /** Collects what speaks against a doubtful root; `undefined` when the root is not one. */
  readonly doubts: Doubts | undefined;
}
