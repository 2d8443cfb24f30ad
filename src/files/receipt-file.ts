/**
 * A receipt on the disk: appears whole or not at all, replaces nothing unasked, never goes through
 * a link; and is read back only as far as a receipt can be long.
 */

import { randomUUID } from "node:crypto";
import { constants } from "node:fs";
import { type FileHandle, open, rename } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { UsageError } from "../errors.js";
import { limits } from "../limits.js";
import { closeQuietly } from "./close.js";
import { syncFolder, unlinkIfThere } from "./folder.js";
import { readAll, writeAll } from "./in-full.js";
import { nameFree } from "./name-free.js";
import { storageError, storageErrorText } from "./storage-error.js";
import { absolutePath, checkTarget } from "./target.js";

/** Where a receipt goes. */
export interface ReceiptPlace {
  readonly folder: string;
  readonly output: string;
  /** Whether an existing regular file is replaced. */
  readonly isForced: boolean;
}

/** Throws StorageError when no receipt may be written there. */
export async function receiptPlace(path: string, isForced: boolean): Promise<ReceiptPlace> {
  const output = absolutePath(path);
  const place = { folder: dirname(output), output, isForced };
  await checkTarget(place, isForced);
  return place;
}

/** Durable once it resolves. Throws StorageError; what was there before is then untouched. */
export async function writeReceipt(place: ReceiptPlace, text: string): Promise<void> {
  const { folder, output, isForced } = place;
  const draft = join(folder, `.${basename(output).slice(0, 64)}.${randomUUID()}`);
  let handle: FileHandle | undefined;
  try {
    handle = await open(draft, "wx", 0o666);
    await writeAll(handle, Buffer.from(text), 0);
    await handle.sync();
    // What it was when the download began need not be what it is now.
    await checkTarget(place, isForced);
    if (isForced) await rename(draft, output);
    else if ((await nameFree({ handle, path: draft, output }, async () => {})) === "linked") {
      await unlinkIfThere(draft);
    }
    await syncFolder(folder);
  } catch (error) {
    await unlinkIfThere(draft).catch(() => {});
    throw storageError("write", output, error, "nothing");
  } finally {
    await closeQuietly(handle);
  }
}

/** The text of a receipt. Throws UsageError when there is none, or more than a receipt can be. */
export async function readReceipt(path: string): Promise<string> {
  let handle: FileHandle | undefined;
  try {
    // A FIFO without a writer must not hold us up.
    handle = await open(path, constants.O_RDONLY | constants.O_NONBLOCK);
    if (!(await handle.stat()).isFile()) {
      throw new UsageError(`receipt ${path}: it is no regular file`);
    }
    const buffer = Buffer.allocUnsafe(limits.receiptBytes + 1);
    const length = await readAll(handle, buffer, 0);
    if (length > limits.receiptBytes) {
      const most = `${limits.receiptBytes} bytes`;
      throw new UsageError(`receipt ${path}: no receipt is longer than ${most}`);
    }
    return buffer.toString("utf8", 0, length);
  } catch (error) {
    if (error instanceof UsageError) throw error;
    throw new UsageError(`receipt ${path}: ${storageErrorText(error)}`, { cause: error });
  } finally {
    await closeQuietly(handle);
  }
}
