/**
 * Gives a verified file its name, in an order in which every crash leaves the output absent or
 * right.
 */

import { type FileHandle, link, rename } from "node:fs/promises";
import { StorageError } from "../errors.js";
import { syncFolder, unlinkIfThere } from "./folder.js";
import { inspect } from "./locked-file.js";
import { errorCode, storageError } from "./storage-error.js";
import { checkTarget, type Target } from "./target.js";

/** What is to be published. */
export interface Publication {
  readonly target: Target;
  /** The locked partial, whole and verified. */
  readonly handle: FileHandle;
  /** Whether an existing output is replaced. */
  readonly isForced: boolean;
}

/**
 * Gives the output's path once the name is durable. Throws StorageError, with the output untouched.
 */
export async function publishFile({ target, handle, isForced }: Publication): Promise<string> {
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
