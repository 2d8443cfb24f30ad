/** Keeping receipts and checking files against them, wired to the real disk and threads. */

import type { OnEvent } from "../download/progress.js";
import { assert, messageOf, StorageError, UsageError } from "../errors.js";
import { checkReadable, digestFile } from "../files/local-file.js";
import { readReceipt, receiptPlace, writeReceipt } from "../files/receipt-file.js";
import { checkReceipt, type ReceiptVerification } from "../receipt/check-receipt.js";
import { keptReceipt, receiptDocument } from "../receipt/kept-receipt.js";
import { parseReceipt } from "../receipt/parse-receipt.js";
import type { Receipt } from "../receipt/receipt.js";
import { hashFile } from "../threads/hash-file.js";
import type { Reached } from "../trust/quorum.js";
import { version } from "../version.js";

/** A receipt that is to be kept: listens to the download, and writes at its end. */
export interface ReceiptKeeper {
  readonly onEvent: OnEvent;
  keep(receipt: Receipt): Promise<void>;
}

/**
 * Before anybody is asked: throws StorageError when no receipt may be written at `path`, UsageError
 * when `output` is the same place.
 */
export async function receiptKeeper(
  path: string,
  { output, isForced }: { readonly output: string; readonly isForced: boolean },
): Promise<ReceiptKeeper> {
  const place = await receiptPlace(path, isForced);
  if (place.output === output) {
    throw new UsageError(`get: the receipt and the file cannot both be ${output}`);
  }
  const startedAtMs = Date.now();
  let agreement: Reached | undefined;
  return {
    onEvent(event) {
      if (event.event === "agreement" && event.agreement.reached) agreement = event.agreement;
    },
    async keep(receipt) {
      assert(agreement !== undefined, "a receipt comes after its agreement");
      const program = `quorate ${version}`;
      const context = { program, startedAtMs, finishedAtMs: Date.now() };
      try {
        await writeReceipt(place, receiptDocument(keptReceipt(receipt, agreement, context)));
      } catch (error) {
        throw lostReceipt(receipt, error);
      }
    },
  };
}

/** By then the file is there, and the same command again would find it in the way. */
function lostReceipt({ name, path }: Receipt, error: unknown): StorageError {
  const isStdout = path === "-";
  const where = isStdout ? "all of it went to stdout" : `at ${path}`;
  const again = isStdout ? "" : "; with --force one is made without fetching it again";
  const message = `get ${name}: the file is right and ${where}, but its receipt is lost`;
  return new StorageError(`${message}: ${messageOf(error)}${again}`, { cause: error });
}

/**
 * Compares a local file with a kept receipt; nobody is asked. Throws UsageError when the receipt
 * cannot be believed to be one, StorageError when the file cannot be read.
 */
export async function verifyReceipt(
  request: {
    /** The local file. */
    readonly path: string;
    /** The path of the receipt. */
    readonly receipt: string;
  },
  options: { readonly signal?: AbortSignal } = {},
): Promise<ReceiptVerification> {
  const { path } = request;
  const receipt = parseReceipt(await readReceipt(request.receipt), request.receipt);
  await checkReadable(path);
  const { pieceBytes } = receipt.manifest;
  const local = await digestFile(path, hashFile, { pieceBytes, signal: options.signal });
  return checkReceipt(receipt, local);
}
