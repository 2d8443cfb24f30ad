/**
 * The unfinished file on disk, from lock to publication. After any crash the output is either
 * absent (or
 * what it was) or right: nothing bears its name before the whole digest was read back.
 */

import { constants } from "node:fs";
import { type FileHandle, link, lstat, open, rename, statfs, unlink } from "node:fs/promises";
import { StorageError } from "../errors.js";
import type { Partial, Sink } from "../ports.js";
import type { Manifest } from "../trust/manifest.js";
import { type JournalFile, openJournal, writeAll } from "./journal-file.js";
import { lockFile, type Unlock } from "./lock.js";
import { preallocate } from "./preallocate.js";
import { errorCode, storageError } from "./storage-error.js";
import { checkTarget, type Target } from "./target.js";

/** How the output is to be treated. */
export interface PartialOptions {
  readonly manifest: Manifest;
  /** Whether an existing regular file of the output's name may be replaced. */
  readonly isForced: boolean;
  /** Whether an earlier run's partial is taken up; if not, it is set aside under another name. */
  readonly resumes: boolean;
}

/** Locks, checks and opens the partial of a target. Throws StorageError, with what to do. */
export async function openPartialFile(target: Target, options: PartialOptions): Promise<Partial> {
  const { manifest, isForced, resumes } = options;
  await checkTarget(target, isForced);
  let locked = await openLocked(target);
  if (!resumes) {
    await unlinkIfThere(target.journal);
    if ((await locked.handle.stat()).size > 0) {
      await setAside(target);
      await locked.release();
      locked = await openLocked(target);
    }
  }
  const { handle, release } = locked;
  try {
    const leftoverBytes = Math.min((await handle.stat()).size, manifest.size);
    await reserve(handle, target, manifest.size);
    const journal = await openJournal(target.journal, manifest);
    // The header must be found after a crash, or the bytes that follow are nobody's.
    await syncFolder(target.folder);
    return partialOf({ target, handle, journal, release, leftoverBytes, isForced });
  } catch (error) {
    await release();
    throw storageError("write", target.partial, error);
  }
}

interface Open {
  readonly target: Target;
  readonly handle: FileHandle;
  readonly journal: JournalFile;
  readonly release: () => Promise<void>;
  readonly leftoverBytes: number;
  readonly isForced: boolean;
}

function partialOf(parts: Open): Partial {
  const { target, handle, journal, release, leftoverBytes } = parts;
  return {
    sink: sinkOf(handle, target.partial),
    journal,
    leftoverBytes,
    publish: () => publish(parts),
    async discard() {
      await unlinkIfThere(target.journal);
      await unlinkIfThere(target.partial);
    },
    async [Symbol.asyncDispose]() {
      await journal.close();
      await release();
    },
  };
}

function sinkOf(handle: FileHandle, path: string): Sink {
  return {
    async write(offset, bytes) {
      try {
        await writeAll(handle, bytes, offset);
      } catch (error) {
        throw storageError("write", path, error);
      }
    },
    async read(offset, buffer) {
      try {
        let done = 0;
        while (done < buffer.length) {
          const length = buffer.length - done;
          const { bytesRead } = await handle.read(buffer, done, length, offset + done);
          if (bytesRead === 0) break;
          done += bytesRead;
        }
        return done;
      } catch (error) {
        throw storageError("read", path, error);
      }
    },
    async sync() {
      try {
        await handle.datasync();
      } catch (error) {
        throw storageError("sync", path, error);
      }
    },
  };
}

/**
 * Gives the verified bytes their name, in an order in which every crash leaves the output absent
 * or right.
 */
async function publish({ target, handle, isForced }: Open): Promise<string> {
  try {
    // It was private while unfinished; now it is an ordinary file of this user.
    await handle.chmod(0o666 & ~process.umask());
    // The bytes first: a name that survives a power cut must not point to less than everything.
    await handle.sync();
    if (!(await inspect(handle, target.partial)).isOurs) {
      throw new StorageError(
        `publish ${target.output}: somebody removed or replaced ${target.partial}; run it again`,
      );
    }
    if (isForced) await renameToOutput(target);
    else await linkOrRename(target);
    // The name is durable only once its folder is.
    await syncFolder(target.folder);
  } catch (error) {
    if (errorCode(error) === "EEXIST") {
      throw new StorageError(`write ${target.output}: it exists already; --force replaces it`);
    }
    throw storageError("publish", target.output, error);
  }
  return target.output;
}

/** The journal goes first: once the partial's name is free, another run may begin its own. */
async function renameToOutput(target: Target): Promise<void> {
  await unlinkIfThere(target.journal);
  await rename(target.partial, target.output);
}

/**
 * `link` never overwrites, which `rename` would; where the file system has no links, look first.
 */
async function linkOrRename(target: Target): Promise<void> {
  try {
    await link(target.partial, target.output);
    // The new name is durable before the old one goes, which is the last: our lock is on it.
    await syncFolder(target.folder);
    await unlinkIfThere(target.journal);
    await unlinkIfThere(target.partial);
  } catch (error) {
    const code = errorCode(error);
    const hasNoLinks = code === "EPERM" || code === "ENOTSUP" || code === "EOPNOTSUPP";
    if (!hasNoLinks && code !== "EMLINK") throw error;
    await checkTarget(target, false);
    await renameToOutput(target);
  }
}

async function openLocked(target: Target) {
  const flags = constants.O_RDWR | constants.O_CREAT | constants.O_NOFOLLOW | constants.O_NONBLOCK;
  for (;;) {
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
          await handle.close();
        };
        return { handle, release };
      }
    } catch (error) {
      await unlock?.();
      await handle.close();
      throw error;
    }
    await unlock();
    await handle.close();
  }
}

/** Whether the open file still is the one of that name, and whether it is fit to be written to. */
async function inspect(handle: FileHandle, path: string) {
  const opened = await handle.stat();
  const named = await lstat(path).catch(() => undefined);
  const isOurs = named !== undefined && named.ino === opened.ino && named.dev === opened.dev;
  const problem = !opened.isFile()
    ? "it is no regular file; remove it"
    : opened.nlink > 1
      ? "it has another name as well; remove it"
      : undefined;
  return { isOurs, problem };
}

/** A crash between `link` and `unlink` leaves the published file with the partial's name too. */
async function forgetPublished(target: Target): Promise<boolean> {
  const partial = await lstat(target.partial).catch(() => undefined);
  const output = await lstat(target.output).catch(() => undefined);
  if (partial === undefined || output === undefined) return false;
  if (partial.ino !== output.ino || partial.dev !== output.dev) return false;
  await unlinkIfThere(target.journal);
  await unlinkIfThere(target.partial);
  return true;
}

/** Never deletes what was fetched: it may be all that somebody has. */
async function setAside(target: Target): Promise<void> {
  for (let number = 1; ; number++) {
    const aside = `${target.partial}.${number}`;
    if ((await lstat(aside).catch(() => undefined)) !== undefined) continue;
    await rename(target.partial, aside).catch((error: unknown) => {
      throw storageError("set aside", target.partial, error);
    });
    return;
  }
}

/** Fails now rather than at 99 %: asks for the space, then takes it. */
async function reserve(handle: FileHandle, target: Target, size: number): Promise<void> {
  const { size: present, blocks } = await handle.stat();
  if (present > size) await handle.truncate(size);
  const { bavail, bsize } = await statfs(target.folder);
  const missing = size - Math.min(size, blocks * 512);
  if (missing > bavail * bsize) {
    throw new StorageError(
      `write ${target.output}: ${missing} bytes are needed and ${bavail * bsize} are free; ` +
        "free some space and run it again",
    );
  }
  await preallocate(handle, { present: Math.min(present, size), size });
}

async function syncFolder(folder: string): Promise<void> {
  const handle = await open(folder, constants.O_RDONLY | constants.O_DIRECTORY);
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

async function unlinkIfThere(path: string): Promise<void> {
  await unlink(path).catch((error: unknown) => {
    if (errorCode(error) !== "ENOENT") throw storageError("remove", path, error);
  });
}
