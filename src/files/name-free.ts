/** Gives a file a name that is free, and never one that is taken: `rename` alone would overwrite. */

import { type FileHandle, link, lstat, rename } from "node:fs/promises";
import { dirname } from "node:path";
import { StorageError } from "../errors.js";
import { inspect } from "./locked-file.js";
import { runProgram } from "./run-program.js";
import { errorCode, isUnsupported } from "./storage-error.js";
import { checkTarget, existsError } from "./target.js";

/** An open file, its path, and the name that it is to have. */
interface Naming {
  readonly handle: FileHandle;
  readonly path: string;
  readonly output: string;
}

/**
 * Gives a file a second name, unless that is taken: `link` never overwrites, which `rename` would.
 * Without links it is renamed, and `beforeRename` comes before that. Throws StorageError when the
 * name is taken, and what the calls fail with.
 */
export async function nameFree(
  naming: Naming,
  beforeRename: () => Promise<void>,
): Promise<"linked" | "renamed"> {
  const { handle, path, output } = naming;
  try {
    await link(path, output);
  } catch (error) {
    const code = errorCode(error);
    // EPERM is what Linux says where there are no hard links; EMLINK where there are too many.
    if (code === "EPERM" || code === "EMLINK" || isUnsupported(error)) {
      await renameFree(naming, beforeRename);
      return "renamed";
    }
    if (code !== "EEXIST") throw error;
    // A network file system may repeat a call whose answer was lost, and meet its own success.
    if (!(await inspect(handle, output)).isOurs) throw existsError(output);
  }
  return "linked";
}

/**
 * Without links: a rename that does not overwrite. A placeholder of ours under the output's name
 * would do, too, but a crash would leave it there, an empty file where a right one is promised.
 */
async function renameFree(
  { handle, path, output }: Naming,
  beforeRename: () => Promise<void>,
): Promise<void> {
  const place = { folder: dirname(output), output };
  // Looked at first, so that the journal is kept in all but a race.
  await checkTarget(place, false);
  await beforeRename();
  const move = await moveIfFree(path, output);
  if (move.kind === "missing") {
    // Nothing left that is atomic: between this look and the rename a new file would be replaced.
    await checkTarget(place, false);
    await rename(path, output);
    return;
  }
  if ((await inspect(handle, output)).isOurs) return;
  if ((await lstat(output).catch(() => undefined)) !== undefined) throw existsError(output);
  const problem = move.problem ?? "`mv -n` left it under its old name";
  throw new StorageError(`publish ${output}: ${problem}; run it again`);
}

/** Whether there was a program to try it; then what it complained of, if it did. */
type Move =
  | { readonly kind: "missing" }
  | { readonly kind: "tried"; readonly problem: string | undefined };

/**
 * Renames within one folder, unless `to` exists, by `mv -n`: coreutils ask the kernel for
 * RENAME_NOREPLACE, for which Node has no call. Whether it renamed is for the caller to look at,
 * since `mv -n` says nothing of what it left alone.
 */
async function moveIfFree(from: string, to: string): Promise<Move> {
  const end = await runProgram("mv", ["-nT", "--", from, to]);
  if (end.kind === "missing") return end;
  const { code, killedBy, said } = end;
  const problem = said.trim() || `mv ended with ${killedBy ?? code}`;
  return { kind: "tried", problem: code === 0 ? undefined : problem };
}
