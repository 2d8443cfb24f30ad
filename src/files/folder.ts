/** What a folder owes its files: names that survive a power cut, and names that are gone. */

import { constants } from "node:fs";
import { open, unlink } from "node:fs/promises";
import { closeQuietly } from "./close.js";
import { errorCode, isUnsupported, storageError } from "./storage-error.js";

/** A sync of a folder that runs, and the one that those who came meanwhile wait for. */
interface Turn {
  readonly running: Promise<void>;
  next: Promise<void> | undefined;
}

const turns = new Map<string, Turn>();

/**
 * Makes the names in a folder durable: a synced file whose name is lost is lost. Where the file
 * system cannot sync a folder (some network and FUSE ones say EINVAL), its own promise is all there
 * is, and the download goes on; a sync that was tried and failed is an error. Those who ask while
 * one runs share the next: the one that runs may have passed what they changed by.
 */
export function syncFolder(folder: string): Promise<void> {
  const turn = turns.get(folder);
  if (turn === undefined) return beginTurn(folder);
  // One that failed fails them too: what it lost, the next one would call safe.
  turn.next ??= turn.running.then(() => beginTurn(folder));
  return turn.next;
}

function beginTurn(folder: string): Promise<void> {
  const over = (hasFailed: boolean) => {
    // Who waits for the next one has it begin in a moment, and others may join until then.
    if (hasFailed || turn.next === undefined) turns.delete(folder);
  };
  const running = syncNow(folder);
  const turn: Turn = { running, next: undefined };
  turns.set(folder, turn);
  running.then(
    () => over(false),
    () => over(true),
  );
  return running;
}

async function syncNow(folder: string): Promise<void> {
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
