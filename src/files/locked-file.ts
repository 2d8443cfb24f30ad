/** Opens the partial for this process alone, and makes sure that it is what its name says. */

import { constants } from "node:fs";
import { type FileHandle, lstat, open, rename } from "node:fs/promises";
import { StorageError } from "../errors.js";
import { closeQuietly } from "./close.js";
import { unlinkIfThere } from "./folder.js";
import { lockFile, type Unlock } from "./lock.js";
import { errorCode, storageError } from "./storage-error.js";
import type { Target } from "./target.js";

/**
 * Each attempt that fails means that another run finished in between: more than a few are no
 * chance.
 */
const mostAttempts = 20;

/** An open file that is this process's alone until it is released. */
export interface LockedFile {
  /** Where an earlier partial was put, if one was in the way. */
  readonly setAside?: string;
  readonly handle: FileHandle;
  readonly release: () => Promise<void>;
}

/**
 * Opens and locks the partial, or makes one. When `resumes` is false, an earlier one is set aside
 * under another name, with its journal. Throws StorageError, naming the lock, when another process
 * is writing it.
 */
export async function openLocked(target: Target, resumes: boolean): Promise<LockedFile> {
  const locked = await openAndLock(target);
  if (resumes) return locked;
  let aside: SetAside | undefined;
  try {
    aside = await setAside(target, locked.handle);
  } catch (error) {
    await locked.release();
    throw error;
  }
  if (aside === undefined) return locked;
  if (!aside.isPartial) return { ...locked, setAside: aside.path };
  // Its name is free now, and our lock is on the old file.
  await locked.release();
  return { ...(await openAndLock(target)), setAside: aside.path };
}

async function openAndLock(target: Target): Promise<LockedFile> {
  const flags = constants.O_RDWR | constants.O_CREAT | constants.O_NOFOLLOW | constants.O_NONBLOCK;
  for (let attempt = 0; attempt < mostAttempts; attempt++) {
    const handle = await open(target.partial, flags, 0o600).catch((error: unknown) => {
      if (errorCode(error) === "ELOOP") {
        throw new StorageError(`write ${target.partial}: it is a symbolic link; remove it`);
      }
      throw storageError("write", target.partial, error);
    });
    let unlock: Unlock | undefined;
    try {
      // Locked first: while another run publishes it, it has two names, and is no problem of ours.
      unlock = await lockFile(handle, target.partial);
      const wasPublished = await forgetPublished(target);
      // Between opening and locking, another run may have published it: then this is no longer our
      // file.
      const { isOurs, problem } = await inspect(handle, target.partial);
      if (isOurs && problem !== undefined) {
        throw new StorageError(`write ${target.partial}: ${problem}`);
      }
      if (isOurs && !wasPublished) {
        const held = unlock;
        const release = async () => {
          await held();
          await closeQuietly(handle);
        };
        return { handle, release };
      }
    } catch (error) {
      await unlock?.();
      await closeQuietly(handle);
      throw error;
    }
    await unlock();
    await closeQuietly(handle);
  }
  throw new StorageError(`write ${target.partial}: other runs keep replacing it; try again later`);
}

/** Whether the open file still is the one of that name, and whether it is fit to be written to. */
export async function inspect(handle: FileHandle, path: string) {
  // As bigint: inode numbers of 64 bits lose their last digits as doubles, and two would be equal.
  const opened = await handle.stat({ bigint: true });
  const named = await lstat(path, { bigint: true }).catch(() => undefined);
  const isOurs = named !== undefined && named.ino === opened.ino && named.dev === opened.dev;
  const problem = !opened.isFile()
    ? "it is no regular file; remove it"
    : opened.nlink > 1n
      ? "it has another name as well; remove it"
      : undefined;
  return { isOurs, problem };
}

/** Bytes of a file without a name cannot be resumed: whoever fetches on does so in vain. */
export function lostNameError(path: string): StorageError {
  return new StorageError(
    `write ${path}: somebody removed or replaced it, or its folder; run it again`,
  );
}

/** A crash between `link` and `unlink` leaves the published file with the partial's name too. */
async function forgetPublished(target: Target): Promise<boolean> {
  const partial = await lstat(target.partial, { bigint: true }).catch(() => undefined);
  const output = await lstat(target.output, { bigint: true }).catch(() => undefined);
  if (partial === undefined || output === undefined) return false;
  if (partial.ino !== output.ino || partial.dev !== output.dev) return false;
  await unlinkIfThere(target.journal);
  await unlinkIfThere(target.partial);
  return true;
}

interface SetAside {
  readonly path: string;
  readonly isPartial: boolean;
}

/** Never deletes what was fetched: it may be all that somebody has. */
async function setAside(target: Target, handle: FileHandle): Promise<SetAside | undefined> {
  const isPartial = (await handle.stat()).size > 0;
  const isJournal = await exists(target.journal);
  if (!isPartial && !isJournal) return undefined;
  for (let number = 1; ; number++) {
    // Both get one number, so that they can be put back together.
    const partial = `${target.partial}.${number}`;
    const journal = `${target.journal}.${number}`;
    if ((await exists(partial)) || (await exists(journal))) continue;
    // The partial last: once its name is free, another run may begin, with a journal of its own.
    if (isJournal) await move(target.journal, journal);
    if (isPartial) await move(target.partial, partial);
    return { path: isPartial ? partial : journal, isPartial };
  }
}

async function exists(path: string): Promise<boolean> {
  return (await lstat(path).catch(() => undefined)) !== undefined;
}

async function move(from: string, to: string): Promise<void> {
  await rename(from, to).catch((error: unknown) => {
    throw storageError("set aside", from, error);
  });
}
