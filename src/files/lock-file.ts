/** A lock that is a file with its owner's name in it: for where the kernel has none to give. */

import { randomUUID } from "node:crypto";
import { constants, copyFile, link, readFile, rename, unlink, writeFile } from "node:fs/promises";
import { StorageError } from "../errors.js";
import { type Owner, ourselves, ownerText, parseOwner, stateOf } from "./owner.js";
import { errorCode, isUnsupported, storageError } from "./storage-error.js";

/**
 * Locks `path` by `path.lock`, and takes over what a process that is dead left behind. Throws
 * StorageError, naming the lock and its holder, when it is held, or when nobody can tell.
 */
export async function lockByFile(path: string): Promise<() => Promise<void>> {
  const lockPath = `${path}.lock`;
  // Written before it gets the lock's name: nobody ever sees a lock without its owner.
  const draft = `${lockPath}.${randomUUID()}`;
  try {
    const text = ownerText(await ourselves());
    await writeFile(draft, text, { flag: "wx", mode: 0o600 });
    if (!(await claimName(draft, lockPath)) && !(await takeOver(draft, lockPath))) {
      throw await heldError(path, lockPath);
    }
  } catch (error) {
    throw storageError("lock", lockPath, error);
  } finally {
    await unlink(draft).catch(() => {});
  }
  return async () => {
    // Gone already is as good as unlocked.
    await unlink(lockPath).catch(() => {});
  };
}

/**
 * Replaces a dead owner's lock. Only who holds the marker may, and looks again once he holds it: of
 * many who saw the same dead owner, the second would otherwise remove the first one's new lock.
 */
async function takeOver(draft: string, lockPath: string): Promise<boolean> {
  const marker = `${lockPath}.taking`;
  if (!(await claimName(draft, marker))) return false;
  try {
    const found = await lookAt(lockPath);
    if (found.kind !== "dead") return false;
    await rename(draft, lockPath);
    return true;
  } finally {
    await unlink(marker).catch(() => {});
  }
}

/** Gives the draft a second name, unless that is taken. */
async function claimName(draft: string, name: string): Promise<boolean> {
  try {
    await link(draft, name);
    return true;
  } catch (error) {
    const code = errorCode(error);
    if (code === "EEXIST") return false;
    if (code !== "EPERM" && code !== "EMLINK" && !isUnsupported(error)) throw error;
  }
  // Where there are no links: as exclusive, but empty for a moment, which counts as held.
  try {
    await copyFile(draft, name, constants.COPYFILE_EXCL);
    return true;
  } catch (error) {
    if (errorCode(error) === "EEXIST") return false;
    throw error;
  }
}

type Found =
  | { readonly kind: "dead" }
  | { readonly kind: "gone" }
  /** Just being written, or torn by a power cut: nobody can tell which. */
  | { readonly kind: "empty" }
  | { readonly kind: "alive" | "unknown"; readonly owner: Owner };

async function lookAt(lockPath: string): Promise<Found> {
  const text = await readFile(lockPath, "utf8").catch(() => undefined);
  if (text === undefined) return { kind: "gone" };
  if (text === "") return { kind: "empty" };
  const owner = parseOwner(text);
  if (owner === undefined) return { kind: "dead" };
  const kind = await stateOf(owner);
  return kind === "dead" ? { kind } : { kind, owner };
}

async function heldError(path: string, lockPath: string): Promise<StorageError> {
  const found = await lookAt(lockPath);
  const busy = `lock ${path}: another quorate is writing this output`;
  switch (found.kind) {
    case "alive":
      return new StorageError(`${busy} (process ${found.owner.pid}); wait for it or end it`);
    case "unknown": {
      const { pid, host } = found.owner;
      return new StorageError(
        `${busy} (process ${pid} on ${host}); if that is gone, remove ${lockPath}`,
      );
    }
    case "empty":
      return new StorageError(`${busy}; if none runs, remove ${lockPath}`);
    case "gone":
    case "dead":
      return new StorageError(`${busy}; if none runs, remove ${lockPath}.taking`);
    default:
      return found satisfies never;
  }
}
