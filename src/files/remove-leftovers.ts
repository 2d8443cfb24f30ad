/**
 * Removes what downloads left: only what was found before, is unchanged since, and is nobody's. The
 * lock is taken first, as a download takes it.
 */

import { lstat } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { assert, messageOf, StorageError } from "../errors.js";
import { unlinkIfThere } from "./folder.js";
import { type LeftoverName, parseLeftoverName } from "./leftover-name.js";
import type { Leftover } from "./leftovers.js";
import { openLocked } from "./locked-file.js";
import { targetOf } from "./target.js";

/** What became of a leftover; `problem` says why it is still there. */
export interface Removal {
  readonly leftover: Leftover;
  readonly problem: string | undefined;
}

/** Removes those that need not be kept. Never throws: what cannot be removed says why. */
export async function removeLeftovers(leftovers: readonly Leftover[]): Promise<Removal[]> {
  const groups = new Map<string, Leftover[]>();
  for (const leftover of leftovers) {
    if (leftover.keptBecause !== undefined) continue;
    const { key } = nameOf(leftover);
    const place = join(dirname(leftover.path), key);
    groups.set(place, [...(groups.get(place) ?? []), leftover]);
  }
  const removals: Removal[] = [];
  for (const group of groups.values()) {
    try {
      await removeGroup(group);
      removals.push(...group.map((leftover) => ({ leftover, problem: undefined })));
    } catch (error) {
      for (const leftover of group) {
        const isThere = (await lstat(leftover.path).catch(() => undefined)) !== undefined;
        removals.push({ leftover, problem: isThere ? messageOf(error) : undefined });
      }
    }
  }
  return removals;
}

/** In an order in which another run, at any moment, finds either all of it or nothing of it. */
async function removeGroup(group: readonly Leftover[]): Promise<void> {
  const [first] = group;
  if (first === undefined) return;
  const { stem, number, isOnePiece } = nameOf(first);
  const folder = dirname(first.path);
  const locks = group.filter(({ kind }) => kind === "lock");
  const files = inOrder(group.filter(({ kind }) => kind !== "lock"));
  // What was set aside is nobody's, and no run looks at it; at a file of one piece neither.
  if (number !== undefined || isOnePiece) {
    await unlinkSame(files);
    return;
  }
  // Locks of the dead stand in the way of our own.
  await unlinkSame(locks);
  if (files.length === 0) return;
  const target = targetOf({ folder, base: stem, stem });
  const { handle, release } = await openLocked(target, true);
  try {
    const isEmpty = (await handle.stat()).size === 0;
    await unlinkSame(isEmpty ? files.filter(({ kind }) => kind === "journal") : files);
    // There was none, or it was the output by another name, and this one was made to be locked.
    if (isEmpty) await unlinkIfThere(target.partial);
  } finally {
    await release();
  }
}

/** The partial last: our lock is on it, and once its name is free another run may begin. */
function inOrder(files: readonly Leftover[]): Leftover[] {
  return [...files].sort((left, right) => (left.kind < right.kind ? -1 : 1));
}

/** Since it was found, a run may have taken it up and ended early again: then it is another. */
async function unlinkSame(files: readonly Leftover[]): Promise<void> {
  for (const { path, size, changedMs } of files) {
    const now = await lstat(path).catch(() => undefined);
    if (now === undefined) continue;
    if (now.isFile() && now.size === size && now.mtimeMs === changedMs) continue;
    throw new StorageError(`remove ${path}: it changed meanwhile`);
  }
  for (const { path } of files) await unlinkIfThere(path);
}

function nameOf({ path }: Leftover): LeftoverName {
  const name = parseLeftoverName(basename(path));
  assert(name !== undefined, `${path} was found as a leftover`);
  return name;
}
