/**
 * The files that may be served. A name is walked one component after the other from a folder that
 * was opened once, without following links: `realpath` and then `open` would lose the race against
 * a rename.
 */

import { constants } from "node:fs";
import { type FileHandle, open, realpath, stat } from "node:fs/promises";
import { basename, dirname } from "node:path";
import { UsageError } from "../errors.js";
import { ReplicaFault } from "../ports.js";
import { faultText } from "../schedule/faults.js";
import type { HashFile, OpenFile, SharedFiles } from "../server-ports.js";
import { isHidden, nameProblem } from "../trust/name.js";
import { folderPages, namesBelow } from "./folder-listing.js";
import { busyFault, diskFault, openFileOf } from "./open-file.js";
import { errorCode, storageErrorText } from "./storage-error.js";
import { below, O_PATH, withFolder } from "./walk.js";

/** O_NONBLOCK: opening a FIFO for reading would otherwise wait for its writer for ever. */
const fileFlags = constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK;

/** Shared files, until they are closed. */
export interface SharedFolder extends SharedFiles {
  close(): Promise<void>;
}

/** Shares a folder's regular files, those in its sub-folders too; hidden ones are not. */
export async function shareFolder(folder: string, hashFile: HashFile): Promise<SharedFolder> {
  const root = await openRoot(folder);
  try {
    // A folder that only has a place is opened all the same, and nothing in it would ever be found.
    await stat(below(root, "."));
  } catch (error) {
    await root.close();
    throw unusable("serve", folder, error);
  }
  const pages = folderPages(root);
  return {
    async onlyName() {
      const names = await orFault(namesBelow(root, 2));
      return names.length === 1 ? names[0] : undefined;
    },
    open: (name) => openShared(root, name, hashFile),
    list: (request, signal) => orFault(pages(request, signal), signal),
    close: () => root.close(),
  };
}

/** Shares one file, under its base name. A link is followed here, once: the operator named it. */
export async function shareFile(path: string, hashFile: HashFile): Promise<SharedFolder> {
  const name = basename(path);
  const problem = nameProblem(name);
  if (problem !== undefined)
    throw new UsageError(`serve ${JSON.stringify(path)}: its name ${problem}`);
  const real = await realpath(path).catch((error: unknown) => {
    throw unusable("serve", path, error);
  });
  const found = await stat(real);
  if (found.isDirectory()) throw new UsageError(`serve ${path}: it is a folder; leave out -f`);
  if (!found.isFile()) throw new UsageError(`serve ${path}: it is no regular file`);
  const root = await openRoot(dirname(real));
  const openIt = (asked: string): Promise<OpenFile> => {
    if (asked !== name) throw new ReplicaFault({ kind: "missing" });
    return openAt(root, [basename(real)], hashFile);
  };
  try {
    await (await openIt(name)).close();
  } catch (error) {
    await root.close();
    if (!(error instanceof ReplicaFault)) throw error;
    const why = error.cause === undefined ? faultText(error.fault) : storageErrorText(error.cause);
    throw new UsageError(`serve ${path}: it cannot be read: ${why}`, { cause: error });
  }
  return {
    onlyName: async () => name,
    open: async (asked) => openIt(asked),
    async list({ pageToken, prefix }) {
      const isWanted = name.startsWith(prefix) && name > pageToken;
      if (!isWanted) return { files: [], nextPageToken: "" };
      const file = await openIt(name);
      await file.close();
      return { files: [{ name, size: file.version.size }], nextPageToken: "" };
    },
    close: () => root.close(),
  };
}

async function openRoot(folder: string): Promise<FileHandle> {
  try {
    return await open(folder, O_PATH | constants.O_DIRECTORY);
  } catch (error) {
    throw unusable("serve", folder, error);
  }
}

async function openShared(root: FileHandle, name: string, hashFile: HashFile): Promise<OpenFile> {
  if (nameProblem(name) !== undefined || isHidden(name)) {
    throw new ReplicaFault({ kind: "missing" });
  }
  return openAt(root, name.split("/"), hashFile);
}

async function openAt(
  root: FileHandle,
  components: readonly string[],
  hashFile: HashFile,
): Promise<OpenFile> {
  try {
    return await withFolder(root, components, async (folder, last) => {
      const handle = await open(below(folder, last), fileFlags);
      try {
        const stats = await handle.stat({ bigint: true });
        if (!stats.isFile()) throw new ReplicaFault({ kind: "missing" });
        return openFileOf(handle, stats, hashFile);
      } catch (error) {
        await handle.close();
        throw error;
      }
    });
  } catch (error) {
    throw faultOf(error);
  }
}

/** Links, holes and folders are all "no such file": what lies behind them is nobody's business. */
function faultOf(error: unknown): ReplicaFault {
  if (error instanceof ReplicaFault) return error;
  switch (errorCode(error)) {
    case "EACCES":
    case "EPERM":
      return new ReplicaFault(
        { kind: "denied", detail: "the server may not read it" },
        { cause: error },
      );
    case "EMFILE":
    case "ENFILE":
      return busyFault(error);
    case "EIO":
      return diskFault(error);
    default:
      return new ReplicaFault({ kind: "missing" }, { cause: error });
  }
}

function orFault<Result>(promise: Promise<Result>, signal?: AbortSignal): Promise<Result> {
  return promise.catch((error: unknown) => {
    signal?.throwIfAborted();
    throw faultOf(error);
  });
}

function unusable(doing: string, path: string, error: unknown): UsageError {
  const code = errorCode(error);
  const why =
    code === "ENOENT"
      ? "no such file or folder"
      : code === "EACCES"
        ? "permission denied"
        : code === "ENOTDIR"
          ? "it is no folder"
          : `it cannot be opened (${code ?? "unknown"})`;
  return new UsageError(`${doing} ${path}: ${why}`, { cause: error });
}
