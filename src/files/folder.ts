/** What a folder owes its files: names that survive a power cut, and names that are gone. */

import { constants } from "node:fs";
import { open, unlink } from "node:fs/promises";
import { closeQuietly } from "./close.js";
import { errorCode, isUnsupported, storageError } from "./storage-error.js";

/** Makes the names in a folder durable. */
export type SyncFolder = (folder: string) => Promise<void>;

/**
 * Makes the names in a folder durable: a synced file whose name is lost is lost. Where the file
 * system cannot sync a folder (some network and FUSE ones say EINVAL), its own promise is all there
 * is, and the download goes on; a sync that was tried and failed is an error.
 */
export const syncFolder: SyncFolder = async (folder) => {
  const handle = await open(folder, constants.O_RDONLY | constants.O_DIRECTORY);
  try {
    await handle.sync();
  } catch (error) {
    if (!isUnsupported(error)) throw error;
  } finally {
    await closeQuietly(handle);
  }
};

/** A sync of a folder that runs, and the one that those who came meanwhile wait for. */
interface Turn {
  readonly running: Promise<void>;
  next: Promise<void> | undefined;
}

/**
 * Syncs of folders for many downloads at once. Those who ask while one runs share the next: the one
 * that runs may have passed what they changed by.
 */
export class SharedSyncs {
  readonly #turns = new Map<string, Turn>();

  readonly sync: SyncFolder = (folder) => {
    const turn = this.#turns.get(folder);
    if (turn === undefined) return this.#begin(folder);
    // One that failed fails them too: what it lost, the next one would call safe.
    turn.next ??= turn.running.then(() => this.#begin(folder));
    return turn.next;
  };

  #begin(folder: string): Promise<void> {
    const over = (hasFailed: boolean) => {
      // Who waits for the next one has it begin in a moment, and others may join until then.
      if (hasFailed || turn.next === undefined) this.#turns.delete(folder);
    };
    const running = syncFolder(folder);
    const turn: Turn = { running, next: undefined };
    this.#turns.set(folder, turn);
    running.then(
      () => over(false),
      () => over(true),
    );
    return running;
  }
}

/** Removes a name; gone already is as good as removed. */
export async function unlinkIfThere(path: string): Promise<void> {
  await unlink(path).catch((error: unknown) => {
    if (errorCode(error) !== "ENOENT") throw storageError("remove", path, error);
  });
}
