/**
 * Gives a verified file its name, in an order in which every crash leaves the output absent or
 * right.
 */

import { type FileHandle, rename } from "node:fs/promises";
import { type SyncFolder, syncFolder, unlinkIfThere } from "./folder.js";
import { inspect, lostNameError } from "./locked-file.js";
import { nameFree } from "./name-free.js";
import { checkUnchanged, type ReplacedFile, resemble } from "./replaced-file.js";
import { errorCode, isUnsupported, storageError } from "./storage-error.js";
import type { Target } from "./target.js";

/** What is to be published. */
export interface Publication {
  readonly target: Target;
  /** The locked partial, whole and verified. */
  readonly handle: FileHandle;
  /** Makes its bytes durable. */
  readonly syncBytes: () => Promise<void>;
  /** Whether an existing output is replaced. */
  readonly isForced: boolean;
  /** The only file that may be replaced, and is resembled. Default: whatever is there. */
  readonly replaces?: ReplacedFile | undefined;
  /** Makes the names in its folder durable. Default: by itself. */
  readonly syncFolder?: SyncFolder | undefined;
}

/**
 * Gives the output's path once the name is durable. Throws StorageError; the output then is what it
 * was, or, when only its folder could not be synced, the verified file.
 */
export async function publishFile(publication: Publication): Promise<string> {
  const { target, handle, isForced, replaces } = publication;
  // Its mode may become durable with its name: until then it is stricter.
  const sync = async (folder: string) => {
    await Promise.all([handle.sync(), (publication.syncFolder ?? syncFolder)(folder)]);
  };
  try {
    // The bytes first: a name that survives a power cut must not point to less than everything.
    await publication.syncBytes();
    await (replaces === undefined ? makeOrdinary(handle) : resemble(handle, replaces));
    // What was verified is the file that is open, which need not be the one of that name any more.
    if (!(await inspect(handle, target.partial)).isOurs) throw lostNameError(target.partial);
    if (replaces !== undefined) await checkUnchanged(target.output, replaces);
    // The name is durable only once its folder is, and only then may anybody be told.
    if (isForced) await renameToOutput(target);
    if (isForced || !(await linkToOutput(publication, sync))) await sync(target.folder);
  } catch (error) {
    throw storageError("publish", target.output, error);
  }
  return target.output;
}

/**
 * It was private while unfinished; now it is an ordinary file of this user. Where the file system
 * keeps no modes (vfat says EPERM), those that it was mounted with have to do.
 */
async function makeOrdinary(handle: FileHandle): Promise<void> {
  await handle.chmod(0o666 & ~process.umask()).catch((error: unknown) => {
    if (errorCode(error) !== "EPERM" && !isUnsupported(error)) throw error;
  });
}

/**
 * Replaces what bears the name, in one step. The journal goes first: once the partial's name is
 * free, another run may begin its own, and nothing may be removed any more.
 */
async function renameToOutput(target: Target): Promise<void> {
  await unlinkIfThere(target.journal);
  await rename(target.partial, target.output);
}

/** Whether the new name is durable already. */
async function linkToOutput({ target, handle }: Publication, sync: SyncFolder): Promise<boolean> {
  const { partial, output } = target;
  const file = { handle, path: partial, output };
  // Where it cannot be linked the journal goes first, as above.
  if ((await nameFree(file, () => unlinkIfThere(target.journal))) === "renamed") return false;
  // The new name is durable before the old one goes, or a power cut could leave neither.
  await sync(target.folder);
  // The partial's name goes last, since our lock is on it. The file is in its place: what cannot be
  // removed, or comes back after a power cut, is litter, for `clean`, and no failed download.
  await unlinkIfThere(target.journal).catch(() => {});
  await unlinkIfThere(target.partial).catch(() => {});
  return true;
}
