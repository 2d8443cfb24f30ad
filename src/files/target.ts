/** Decides where a download's output goes, and refuses places where it must not. */

import { constants } from "node:fs";
import { access, lstat, stat } from "node:fs/promises";
import { basename, dirname, join, resolve, sep } from "node:path";
import { StorageError, UsageError } from "../errors.js";
import { digestOf } from "../trust/digest.js";
import { baseName, outputNameProblem } from "../trust/name.js";
import { errorCode, storageError, storageErrorText } from "./storage-error.js";

/**
 * Where the output, its partial and its journal stand. All in one folder: a rename must not cross
 * disks.
 */
export interface Target {
  readonly folder: string;
  readonly output: string;
  readonly partial: string;
  readonly journal: string;
}

/**
 * The longest name that is made of it, a lock's draft, is `.STEM.quorate-part.lock.` and 36 more: a
 * file system takes 255 bytes.
 */
const longestStemBytes = 199;

/**
 * Resolves what the user named: an existing folder, or a path that ends in a slash, gets the file
 * under its own name; anything else is the output's path itself.
 */
export async function resolveTarget(output: string, name: string): Promise<Target> {
  // Plain JavaScript may leave it out.
  if (typeof output !== "string") throw new UsageError("get: no output was given");
  const isFolder = output.endsWith(sep) || (await isExistingFolder(output));
  const path = absolutePath(output);
  const base = isFolder ? baseName(name) : basename(path);
  const folder = isFolder ? path : dirname(path);
  // A name that is also the file's name there may have come from a server: it must pass the
  // grammar.
  const problem = isFolder ? outputNameProblem(base) : undefined;
  if (problem !== undefined) {
    throw new UsageError(
      `get ${JSON.stringify(name)}: as an output its name ${problem}; name the output with -o FILE`,
    );
  }
  // What is added must not push a name that is fine by itself beyond the file system's 255 bytes.
  const isLong = Buffer.byteLength(base) > longestStemBytes;
  const stem = isLong ? digestOf(Buffer.from(base)).slice(-32) : base;
  return targetOf({ folder, base, stem });
}

/** The target of an output called `base`; what stands beside it is called after `stem`. */
export function targetOf(named: {
  readonly folder: string;
  readonly base: string;
  readonly stem: string;
}): Target {
  const { folder, base, stem } = named;
  return {
    folder,
    output: join(folder, base),
    partial: join(folder, `.${stem}.quorate-part`),
    journal: join(folder, `.${stem}.quorate-journal`),
  };
}

/** What refuses to replace a file that nobody said may be replaced. */
export function existsError(output: string): StorageError {
  return new StorageError(`write ${output}: it exists already; --force replaces it`);
}

/** The path from the root. Throws StorageError when the folder that one stands in was removed. */
export function absolutePath(path: string): string {
  try {
    return resolve(path);
  } catch (error) {
    const why = "the folder that one stands in was removed";
    throw new StorageError(`find ${path}: ${why}`, { cause: error });
  }
}

/**
 * Throws StorageError when the folder is not there or may not be written to, or when the output
 * exists and may not be replaced.
 */
export async function checkTarget(
  target: Pick<Target, "folder" | "output">,
  isForced: boolean,
): Promise<void> {
  const folder = await stat(target.folder).catch((error: unknown) => {
    throw storageError("write into", target.folder, error);
  });
  if (!folder.isDirectory()) throw new StorageError(`write into ${target.folder}: it is no folder`);
  await access(target.folder, constants.W_OK | constants.X_OK).catch((error: unknown) => {
    const why = storageErrorText(error);
    throw new StorageError(`write into ${target.folder}: ${why}; name another place with -o`, {
      cause: error,
    });
  });
  const existing = await lstat(target.output).catch((error: unknown) => {
    if (errorCode(error) === "ENOENT") return undefined;
    throw storageError("write", target.output, error);
  });
  if (existing === undefined) return;
  const kind = existing.isSymbolicLink()
    ? "a symbolic link"
    : existing.isDirectory()
      ? "a folder"
      : existing.isFile()
        ? undefined
        : "no regular file";
  if (kind !== undefined) throw new StorageError(`write ${target.output}: it is ${kind}`);
  if (!isForced) throw existsError(target.output);
}

async function isExistingFolder(path: string): Promise<boolean> {
  try {
    return (await stat(path)).isDirectory();
  } catch {
    // Whatever is wrong with the path is said when it is written to.
    return false;
  }
}
