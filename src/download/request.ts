/** What a download is given: what to get, from whom, and what it needs from the world. */

import type { StartLeafHasher } from "../hash-ports.js";
import type { Clock, PartialOutput, Random, Seed } from "../ports.js";
import type { Manifest } from "../trust/manifest.js";
import type { Replicas } from "./survey.js";

/** What a download needs from the world. */
export interface DownloadWorld {
  readonly clock: Clock;
  readonly random: Random;
  /**
   * Locks and opens the unfinished file of this manifest. Asked for again, after the last one was
   * closed, when the file became another one during the download.
   */
  openPartial(manifest: Manifest): Promise<PartialOutput>;
  /** Old copies, of which equal pieces are taken before any is fetched. Default: none. */
  readonly seeds?: readonly Seed[] | undefined;
  /** Whether reads may begin with the vote: nothing is there that could make them useless. */
  readonly readsEarly?: boolean | undefined;
  /** Hashes the pieces of large files on other cores. Default: who receives does. */
  readonly startLeafHasher?: StartLeafHasher | undefined;
}

/** What to get, and from whom. */
export interface DownloadRequest {
  readonly name: string;
  readonly replicas: Replicas;
}
