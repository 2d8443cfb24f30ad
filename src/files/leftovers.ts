/**
 * Finds what downloads that ended early left in a folder: partials, journals and locks, and no file
 * of anybody else.
 */

import { constants } from "node:fs";
import { lstat, open, readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { parseLeftoverName } from "./leftover-name.js";
import { parseOwner, processThatHasOpen, stateOf } from "./owner.js";
import { storageError } from "./storage-error.js";
import { absolutePath } from "./target.js";

/** A file that a download left. */
export interface Leftover {
  readonly path: string;
  readonly kind: "partial" | "journal" | "lock";
  /** Bytes; a partial's space is reserved, so it has all of them from the beginning. */
  readonly size: number;
  /** When it last changed, in milliseconds since 1970. */
  readonly changedMs: number;
  /** Milliseconds since it, or what is of the same download, last changed. */
  readonly ageMs: number;
  /** Why it must stay; `undefined` when nobody will miss it. */
  readonly keptBecause: string | undefined;
}

interface Found extends Omit<Leftover, "ageMs" | "keptBecause"> {
  readonly key: string;
  readonly isOnePiece: boolean;
}

/** One that is younger may be written to on another machine, or by ourselves: it takes no lock. */
const youngOnePieceMs = 60_000;

/**
 * What is left over in a folder, not below it, sorted by path. Links are not followed. Throws
 * StorageError when the folder cannot be read.
 */
export async function findLeftovers(folder: string, nowMs = Date.now()): Promise<Leftover[]> {
  const groups = new Map<string, Found[]>();
  for (const file of await filesIn(absolutePath(folder))) {
    groups.set(file.key, [...(groups.get(file.key) ?? []), file]);
  }
  const leftovers: Leftover[] = [];
  for (const group of groups.values()) {
    const ageMs = Math.max(0, nowMs - Math.max(...group.map(({ changedMs }) => changedMs)));
    const reason = await reasonToKeep(group, ageMs);
    for (const { key: _, isOnePiece: __, ...file } of group) {
      leftovers.push({ ...file, ageMs, keptBecause: reason });
    }
  }
  return leftovers.sort((left, right) => (left.path < right.path ? -1 : 1));
}

async function filesIn(folder: string): Promise<Found[]> {
  const names = await readdir(folder).catch((error: unknown) => {
    throw storageError("look into", folder, error, "nothing");
  });
  const found: Found[] = [];
  for (const name of names) {
    const parsed = parseLeftoverName(name);
    if (parsed === undefined) continue;
    const path = join(folder, name);
    // Gone since it was listed: then there is nothing to clean.
    const stats = await lstat(path).catch(() => undefined);
    if (stats?.isFile() !== true) continue;
    const { kind, key, isOnePiece } = parsed;
    found.push({ path, kind, key, isOnePiece, size: stats.size, changedMs: stats.mtimeMs });
  }
  return found;
}

/** All of a download's files stay when one of them must: a journal without its partial is none. */
async function reasonToKeep(group: readonly Found[], ageMs: number): Promise<string | undefined> {
  for (const { path, kind } of group) {
    const reason = kind === "lock" ? await lockReason(path) : await useReason(path);
    if (reason !== undefined) return reason;
  }
  if (group.some(({ isOnePiece }) => isOnePiece)) {
    return ageMs < youngOnePieceMs ? "it may be in use: it is younger than a minute" : undefined;
  }
  // An empty file holds nothing that could be missed, whoever made it.
  if (group.every(({ kind, size }) => kind === "lock" || size === 0)) return undefined;
  for (const { path, kind } of group) {
    if (kind === "journal" && (await isJournal(path))) return undefined;
  }
  return "nothing shows that quorate made it; remove it by hand";
}

async function lockReason(path: string): Promise<string | undefined> {
  const text = await readFile(path, "utf8").catch(() => "");
  const owner = parseOwner(text);
  if (owner === undefined) return "nobody can tell whose lock it is; remove it by hand";
  const state = await stateOf(owner);
  if (state === "dead") return undefined;
  const where = state === "alive" ? "" : ` on ${owner.host}, which cannot be seen from here`;
  return `in use by process ${owner.pid}${where}`;
}

async function useReason(path: string): Promise<string | undefined> {
  const pid = await processThatHasOpen(path);
  return pid === undefined ? undefined : `in use by process ${pid}`;
}

/** Whether it begins as our journals do, whatever their version. */
async function isJournal(path: string): Promise<boolean> {
  const flags = constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK;
  const handle = await open(path, flags).catch(() => undefined);
  if (handle === undefined) return false;
  try {
    const { buffer, bytesRead } = await handle.read(Buffer.alloc(4), 0, 4, 0);
    return bytesRead === 4 && /^QJL[1-9A-Za-z]$/.test(buffer.toString("latin1"));
  } catch {
    // What cannot be read does not show that it is ours.
    return false;
  } finally {
    await handle.close();
  }
}
