/** What a folder owes its files: names that survive a power cut, and names that are gone. */

import { constants } from "node:fs";
import { open, unlink } from "node:fs/promises";
import { errorCode, storageError } from "./storage-error.js";

/** Makes the names in a folder durable: a synced file whose name is lost is lost. */
export async function syncFolder(folder: string): Promise<void> {
  const handle = await open(folder, constants.O_RDONLY | constants.O_DIRECTORY);
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

/** Removes a name; gone already is as good as removed. */
export async function unlinkIfThere(path: string): Promise<void> {
  await unlink(path).catch((error: unknown) => {
    if (errorCode(error) !== "ENOENT") throw storageError("remove", path, error);
  });
}
