/** Getting a file, wired to the real wire, disk and clock. */

import { checkRequest, type DownloadOptions } from "../download/options.js";
import { hasEarlier, openOutput } from "../files/open-output.js";
import { openSeeds } from "../files/seed-file.js";
import { checkTarget, resolveTarget } from "../files/target.js";
import type { Receipt } from "../receipt/receipt.js";
import { systemSyncs } from "../system.js";
import { hashPieces } from "../threads/hash-pieces.js";
import { startLeafHasher } from "../threads/leaf-hasher.js";
import { startPrefixDigest } from "../threads/prefix-digest.js";
import type { Manifest } from "../trust/manifest.js";
import { downloadKept } from "./download-kept.js";
import { receiptKeeper } from "./receipts.js";
import type { Address } from "./replicas.js";

/** What to get, from whom, and where to put it. */
export interface GetRequest {
  readonly replicas: readonly Address[];
  readonly name: string;
  /** A folder, or the path of the file. */
  readonly output: string;
  /** Whether an existing regular file may be replaced. Default: no. */
  readonly force?: boolean;
  /** Whether an earlier run's partial is taken up. Default: yes; otherwise it is set aside. */
  readonly resume?: boolean;
  /**
   * Old copies of the file, from which whatever is equal at the same place is taken before anybody
   * is asked for it; at most 64. Default: the existing output when `force` is set; `[]` is none.
   */
  readonly seeds?: readonly string[] | undefined;
  /**
   * Whether the first bytes are asked for together with the vote: that saves a round trip where the
   * file has some MiB, and costs a request a replica where it has less. Default: no.
   */
  readonly early?: boolean | undefined;
  /**
   * A file that keeps the receipt, as JSON. One that exists is replaced only with `force`. Default:
   * none.
   */
  readonly receipt?: string | undefined;
}

/** Gets a file; see `download/download.ts` for what it promises and what it throws. */
export async function download(request: GetRequest, options?: DownloadOptions): Promise<Receipt> {
  const { name, output, force: isForced = false, resume: resumes = true } = request;
  checkRequest("get", name, request.replicas.length);
  const target = await resolveTarget(output, name);
  // Before anybody is asked: what cannot be written need not be fetched.
  await checkTarget(target, isForced);
  const keeper =
    request.receipt === undefined
      ? undefined
      : await receiptKeeper(request.receipt, { output: target.output, isForced });
  const existing = request.seeds === undefined && isForced ? target.output : undefined;
  await using opened = await openSeeds({ named: request.seeds ?? [], existing }, (path, why) =>
    options?.onEvent?.({ event: "seed-skipped", paths: [path], why }),
  );
  // What this download itself left, when the file became another one meanwhile, is taken up.
  let isReopened = false;
  const mayReadEarly = request.early === true && options?.limitRate === undefined;
  const place = {
    readsEarly: mayReadEarly && opened.seeds.length === 0 && !(await hasEarlier(target)),
    seeds: opened.seeds,
    startLeafHasher,
    openPartial: (manifest: Manifest) => {
      const how = {
        manifest,
        isForced,
        resumes: resumes || isReopened,
        hashPieces,
        startPrefixDigest,
        syncFolder: systemSyncs.sync,
      };
      isReopened = true;
      return openOutput(target, how);
    },
  };
  // Awaited here: the seeds must stay open until it is over.
  return await downloadKept(request, place, keeper, options);
}
