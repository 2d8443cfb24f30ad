/** Lists what a shared folder holds, a page at a time: names first, and sizes only of the page. */

import type { Dirent } from "node:fs";
import { type FileHandle, lstat, readdir } from "node:fs/promises";
import { limits } from "../limits.js";
import type { FileEntry, FilePage, ListRequest } from "../ports.js";
import { nameProblem } from "../trust/name.js";
import { errorCode } from "./storage-error.js";
import { below, openFolder, withFolder } from "./walk.js";

/** Sizes asked for at once: enough to keep the disk busy, and few descriptors. */
const statsAtOnce = 32;

/** Gives a page of the regular files below a folder, in the order of their names. */
export type ListFolder = (request: ListRequest, signal?: AbortSignal) => Promise<FilePage>;

/**
 * The pages of a folder. Its names are read for a first page, and kept a moment for those after it:
 * read for each, 30 pages took longer than anybody waits for them.
 */
export function folderPages(root: FileHandle): ListFolder {
  let kept: readonly string[] | undefined;
  const read = async (signal: AbortSignal | undefined) => {
    const names = await namesBelow(root, limits.listedFiles, signal);
    kept = names;
    const drop = () => {
      if (kept === names) kept = undefined;
    };
    setTimeout(drop, limits.listKeptMs).unref();
    return names;
  };
  return async (request, signal) => {
    const names = request.pageToken === "" ? undefined : kept;
    return pageOf(root, names ?? (await read(signal)), request, signal);
  };
}

async function pageOf(
  root: FileHandle,
  all: readonly string[],
  { pageSize, pageToken, prefix }: ListRequest,
  signal: AbortSignal | undefined,
): Promise<FilePage> {
  const wanted = all.filter((name) => name.startsWith(prefix) && name > pageToken);
  const size = Math.min(pageSize > 0 ? pageSize : limits.listPageFiles, limits.listPageFiles);
  const page = wanted.slice(0, size);
  const files: FileEntry[] = [];
  for (let from = 0; from < page.length; from += statsAtOnce) {
    signal?.throwIfAborted();
    const names = page.slice(from, from + statsAtOnce);
    const entries = await Promise.all(names.map((name) => entryOf(root, name)));
    files.push(...entries.flatMap((entry) => entry ?? []));
  }
  return { files, nextPageToken: wanted.length > size ? (page.at(-1) ?? "") : "" };
}

/**
 * The names of the regular files below a folder, at most `most`, sorted; hidden ones are left out.
 */
export async function namesBelow(
  root: FileHandle,
  most: number,
  signal?: AbortSignal,
): Promise<string[]> {
  const found: string[] = [];
  await collect({ folder: root, prefix: "", depth: 0 }, { found, most, signal });
  return found.sort();
}

interface Place {
  readonly folder: FileHandle;
  readonly prefix: string;
  readonly depth: number;
}

interface Search {
  readonly found: string[];
  readonly most: number;
  readonly signal: AbortSignal | undefined;
}

async function collect(place: Place, search: Search): Promise<void> {
  search.signal?.throwIfAborted();
  const entries = await readdir(below(place.folder, "."), { withFileTypes: true });
  for (const entry of entries) {
    if (search.found.length >= search.most) return;
    const name = `${place.prefix}${entry.name}`;
    if (entry.name.startsWith(".") || nameProblem(name) !== undefined) continue;
    if (entry.isFile()) search.found.push(name);
    else if (entry.isDirectory() && place.depth < limits.listedDepth) {
      await enter(place, entry, search);
    }
  }
}

async function enter(place: Place, entry: Dirent, search: Search): Promise<void> {
  // Gone or forbidden since it was listed: then there is nothing of it to list.
  const folder = await openFolder(place.folder, entry.name).catch(() => undefined);
  if (folder === undefined) return;
  const prefix = `${place.prefix}${entry.name}/`;
  try {
    await collect({ folder, prefix, depth: place.depth + 1 }, search);
  } catch (error) {
    // A folder that may be entered but not read holds nothing that could be served.
    if (errorCode(error) !== "EACCES") throw error;
  } finally {
    await folder.close();
  }
}

/** A file's entry, or `undefined` when it is gone, or no regular file any more. */
async function entryOf(root: FileHandle, name: string): Promise<FileEntry | undefined> {
  const size = await withFolder(root, name.split("/"), async (folder, last) => {
    const stats = await lstat(below(folder, last));
    return stats.isFile() ? stats.size : undefined;
  }).catch(() => undefined);
  return size === undefined ? undefined : { name, size };
}
