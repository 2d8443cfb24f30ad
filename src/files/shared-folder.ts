/**
 * The files that may be served. A name is walked one component after the other from a folder that
 * was opened once, without following links: `realpath` and then `open` would lose the race against
 * a rename.
 */

import { type BigIntStats, constants } from "node:fs";
import { type FileHandle, open, readdir, realpath, stat } from "node:fs/promises";
import { basename, dirname } from "node:path";
import { UsageError } from "../errors.js";
import { limits } from "../limits.js";
import { type FileEntry, type OpenFile, ReplicaFault, type SharedFiles } from "../ports.js";
import { isHidden, nameProblem } from "../trust/name.js";
import { type HashFile, openFileOf } from "./open-file.js";
import { errorCode } from "./storage-error.js";

/** Linux's O_PATH, which Node does not name: a descriptor that only stands for a place. */
const O_PATH = 0o10000000;
const folderFlags = O_PATH | constants.O_NOFOLLOW | constants.O_DIRECTORY;
/** O_NONBLOCK: opening a FIFO for reading would otherwise wait for its writer for ever. */
const fileFlags = constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK;

/** Shared files, until they are closed. */
export interface SharedFolder extends SharedFiles {
  close(): Promise<void>;
}

/** Shares a folder's regular files, those in its sub-folders too; hidden ones are not. */
export async function shareFolder(folder: string, hashFile: HashFile): Promise<SharedFolder> {
  const root = await openRoot(folder);
  return {
    async onlyName() {
      const names = await namesBelow(root, 2);
      return names.length === 1 ? names[0]?.name : undefined;
    },
    open: (name) => openShared(root, name, hashFile),
    async list({ pageSize, pageToken, prefix }) {
      const all = await namesBelow(root, limits.listedFiles);
      const wanted = all.filter(({ name }) => name.startsWith(prefix) && name > pageToken);
      return pageOf(wanted, pageSize);
    },
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
    throw new UsageError(`serve ${path}: it cannot be read (${error.fault.kind})`, {
      cause: error,
    });
  }
  return {
    onlyName: async () => name,
    open: async (asked) => openIt(asked),
    async list({ pageSize, pageToken, prefix }) {
      if (!name.startsWith(prefix) || name <= pageToken) return { files: [], nextPageToken: "" };
      const file = await openIt(name);
      await file.close();
      return pageOf([{ name, size: file.version.size }], pageSize);
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
  let folder = root;
  try {
    for (const component of components.slice(0, -1)) {
      const next = await open(below(folder, component), folderFlags);
      if (folder !== root) await folder.close();
      folder = next;
    }
    const handle = await open(below(folder, components.at(-1) ?? ""), fileFlags);
    try {
      const stats = await handle.stat({ bigint: true });
      if (!stats.isFile()) throw new ReplicaFault({ kind: "missing" });
      return openFileOf(handle, stats, hashFile);
    } catch (error) {
      await handle.close();
      throw error;
    }
  } catch (error) {
    throw faultOf(error);
  } finally {
    if (folder !== root) await folder.close();
  }
}

function below(folder: FileHandle, component: string): string {
  return `/proc/self/fd/${folder.fd}/${component}`;
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
      return new ReplicaFault({ kind: "busy", retryMs: 1000 }, { cause: error });
    case "EIO":
      return new ReplicaFault({ kind: "corrupt", detail: "its disk failed" }, { cause: error });
    default:
      return new ReplicaFault({ kind: "missing" }, { cause: error });
  }
}

/** The regular files below a folder, at most `most`, in the order of their names. */
async function namesBelow(root: FileHandle, most: number): Promise<FileEntry[]> {
  const found: FileEntry[] = [];
  await collect({ folder: root, prefix: "", depth: 0 }, found, most).catch((error: unknown) => {
    throw faultOf(error);
  });
  return found.sort((left, right) => (left.name < right.name ? -1 : 1));
}

interface Place {
  readonly folder: FileHandle;
  readonly prefix: string;
  readonly depth: number;
}

async function collect(place: Place, found: FileEntry[], most: number): Promise<void> {
  const entries = await readdir(below(place.folder, "."), { withFileTypes: true });
  for (const entry of entries) {
    if (found.length >= most) return;
    const name = `${place.prefix}${entry.name}`;
    if (entry.name.startsWith(".") || nameProblem(name) !== undefined) continue;
    if (entry.isFile()) {
      const stats = await statBelow(place.folder, entry.name);
      if (stats?.isFile()) found.push({ name, size: Number(stats.size) });
    } else if (entry.isDirectory() && place.depth < limits.listedDepth) {
      // Gone or forbidden since it was listed: then there is nothing of it to list.
      const folder = await open(below(place.folder, entry.name), folderFlags).catch(
        () => undefined,
      );
      if (folder === undefined) continue;
      try {
        await collect({ folder, prefix: `${name}/`, depth: place.depth + 1 }, found, most);
      } catch (error) {
        // A folder that may be entered but not read holds nothing that could be served.
        if (errorCode(error) !== "EACCES") throw error;
      } finally {
        await folder.close();
      }
    }
  }
}

async function statBelow(folder: FileHandle, name: string): Promise<BigIntStats | undefined> {
  const place = await open(below(folder, name), O_PATH | constants.O_NOFOLLOW).catch(
    () => undefined,
  );
  try {
    return await place?.stat({ bigint: true });
  } finally {
    await place?.close();
  }
}

function pageOf(files: readonly FileEntry[], pageSize: number) {
  const size = Math.min(pageSize > 0 ? pageSize : limits.listPageFiles, limits.listPageFiles);
  const page = files.slice(0, size);
  return { files: page, nextPageToken: files.length > size ? (page.at(-1)?.name ?? "") : "" };
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
