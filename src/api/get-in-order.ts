/** Getting a file as a stream of verified bytes, wired to the real wire and clock. */

import { checkRequest, type DownloadOptions } from "../download/options.js";
import { OrderedOutput, type Take } from "../download/ordered-output.js";
import { UsageError } from "../errors.js";
import type { Receipt } from "../receipt/receipt.js";
import type { Manifest } from "../trust/manifest.js";
import { downloadKept } from "./download-kept.js";
import type { GetRequest } from "./get.js";
import { receiptKeeper } from "./receipts.js";

/** What to get in order, and from whom. `force` replaces a receipt, and takes unverifiable bytes. */
export type GetInOrderRequest = Pick<GetRequest, "replicas" | "name" | "receipt" | "force">;

/**
 * Gets a file and gives it to `take` in order, each piece once it is verified; as long as `take`
 * does not resolve, at most 64 MiB wait in memory and nobody is asked for more. Resolves once all
 * was taken and the whole digest is the agreed one. Throws what `download` throws, and what `take`
 * throws; an IntegrityError means that what was taken is not to be trusted. Nothing can be resumed.
 */
export async function downloadInOrder(
  request: GetInOrderRequest,
  take: Take,
  options?: DownloadOptions,
): Promise<Receipt> {
  const { name, force: isForced = false } = request;
  checkRequest("get", name, request.replicas.length);
  const keeper =
    request.receipt === undefined
      ? undefined
      : await receiptKeeper(request.receipt, { output: "-", isForced });
  const output = new OrderedOutput(name, take);
  const openPartial = async (manifest: Manifest) => {
    if (manifest.root === undefined && manifest.size > 0 && !isForced) {
      throw new UsageError(
        `get ${name}: no replica gives pieces, so nothing could be verified before it is written; ` +
          "get it into a file, or take it as it comes with --force",
      );
    }
    return output.open(manifest);
  };
  return downloadKept(request, { openPartial }, keeper, options);
}
