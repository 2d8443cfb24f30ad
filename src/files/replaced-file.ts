/** A file that is to be replaced by its repaired self: recognised again, and resembled. */

import type { BigIntStats } from "node:fs";
import { type FileHandle, lstat } from "node:fs/promises";
import { StorageError } from "../errors.js";
import { errorCode, isUnsupported, storageError } from "./storage-error.js";

/** What a file was when it was looked at. */
export type ReplacedFile = Pick<
  BigIntStats,
  "dev" | "ino" | "size" | "mtimeNs" | "mode" | "uid" | "gid" | "nlink"
> & { readonly kind: "file" | "link" | "other" };

/** Looks at a file, links not followed. Throws StorageError when it is not there. */
export async function lookAt(path: string): Promise<ReplacedFile> {
  const found = await lstat(path, { bigint: true }).catch((error: unknown) => {
    throw storageError("repair", path, error);
  });
  const { dev, ino, size, mtimeNs, mode, uid, gid, nlink } = found;
  const kind = found.isFile() ? "file" : found.isSymbolicLink() ? "link" : "other";
  return { dev, ino, size, mtimeNs, mode, uid, gid, nlink, kind };
}

/**
 * Throws StorageError unless replacing this name is all that it takes: a link's own name would
 * become the file, and the other names of a file would go on leading to the wrong bytes, which
 * `isForced` allows.
 */
export function checkReplaceable(path: string, found: ReplacedFile, isForced: boolean): void {
  if (found.kind === "link") {
    throw new StorageError(`repair ${path}: it is a symbolic link; name the file that it leads to`);
  }
  if (found.kind === "other") throw new StorageError(`repair ${path}: it is no regular file`);
  if (found.nlink > 1n && !isForced) {
    throw new StorageError(
      `repair ${path}: it has ${found.nlink} names (hard links), and the others would keep the ` +
        "wrong bytes; --force repairs this one",
    );
  }
}

/** Throws StorageError when the name no longer stands for that file, or the file was written to. */
export async function checkUnchanged(path: string, before: ReplacedFile): Promise<void> {
  const now = await lookAt(path);
  const isSame =
    now.dev === before.dev &&
    now.ino === before.ino &&
    now.size === before.size &&
    now.mtimeNs === before.mtimeNs;
  if (isSame) return;
  throw new StorageError(
    `repair ${path}: somebody changed it meanwhile, and it is left alone; run it again`,
  );
}

/**
 * Gives an open file of ours another one's owner, group and mode, as far as we may. What says that
 * it runs as its owner or group goes when those could not be kept. Its times are its own: its bytes
 * did change, and a backup that goes by times must see it.
 */
export async function resemble(handle: FileHandle, { mode, uid, gid }: ReplacedFile) {
  const ours = await handle.stat({ bigint: true });
  let isOwnerKept = ours.uid === uid && ours.gid === gid;
  if (!isOwnerKept) {
    isOwnerKept = await handle.chown(Number(uid), Number(gid)).then(
      () => true,
      (error: unknown) => {
        // EINVAL: the owner has no number in this container.
        const code = errorCode(error);
        if (code !== "EPERM" && code !== "EINVAL" && !isUnsupported(error)) throw error;
        return false;
      },
    );
  }
  await handle.chmod(Number(mode) & (isOwnerKept ? 0o7777 : 0o777)).catch((error: unknown) => {
    if (errorCode(error) !== "EPERM" && !isUnsupported(error)) throw error;
  });
}
