/** What a folder owes its files: names that survive a power cut, and names that are gone. */

import { constants } from "node:fs";
import { open, unlink } from "node:fs/promises";
import { closeQuietly } from "./close.js";
import { errorCode, isUnsupported, storageError } from "./storage-error.js";

/**
 * Makes the names in a folder durable: a synced file whose name is lost is lost. Where the file
 * system cannot sync a folder (some network and FUSE ones say EINVAL), its own promise is all there
 * is, and the download goes on; a sync that was tried and failed is an error.
 */
export async function syncFolder(folder: string): Promise<void> {
  const handle = await open(folder, constants.O_RDONLY | constants.O_DIRECTORY);
  try {
    await handle.sync();
  } catch (error) {
    if (!isUnsupported(error)) throw error;
  } finally {
    await closeQuietly(handle);
  }
}

/** Removes a name; gone already is as good as removed. */
export async function unlinkIfThere(path: string): Promise<void> {
  await unlink(path).catch((error: unknown) => {
    if (errorCode(error) !== "ENOENT") throw storageError("remove", path, error);
  });
}
