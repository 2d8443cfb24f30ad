/** Says what a file on this machine is: for `digest`, and for `verify`. */

import { constants } from "node:fs";
import { type FileHandle, open } from "node:fs/promises";
import { StorageError } from "../errors.js";
import { limits } from "../limits.js";
import type { HashFile } from "../server-ports.js";
import type { FileManifest } from "../trust/manifest.js";
import { digestInline } from "./open-file.js";
import { storageError } from "./storage-error.js";

/** How a file is to be hashed. */
export interface DigestFileOptions {
  /** Bytes in a piece; the protocol's for the file's size by default. */
  readonly pieceBytes?: number | undefined;
  readonly onProgress?: ((doneBytes: number, totalBytes: number) => void) | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** Throws StorageError, with the reason, unless there is a regular file that can be read. */
export async function checkReadable(path: string): Promise<void> {
  try {
    await (await openRegular(path)).close();
  } catch (error) {
    throw storageError("read", path, error, "nothing");
  }
}

/** Hashes a regular file, links followed. Throws StorageError when it cannot be read. */
export async function digestFile(
  path: string,
  hashFile: HashFile,
  options: DigestFileOptions = {},
): Promise<FileManifest> {
  try {
    const handle = await openRegular(path);
    try {
      const { size } = await handle.stat();
      const { pieceBytes } = options;
      const onProgress = (doneBytes: number) => options.onProgress?.(doneBytes, size);
      const signal = options.signal ?? new AbortController().signal;
      signal.throwIfAborted();
      if (size <= limits.inlineHashBytes) return await digestInline(handle, size, pieceBytes);
      return await hashFile({ fd: handle.fd, size, pieceBytes, onProgress, signal });
    } finally {
      await handle.close();
    }
  } catch (error) {
    options.signal?.throwIfAborted();
    throw storageError("read", path, error, "nothing");
  }
}

/** Opens a regular file to read it, without waiting for a FIFO's other end. */
export async function openRegular(path: string, flags = 0): Promise<FileHandle> {
  const handle = await open(path, constants.O_RDONLY | constants.O_NONBLOCK | flags);
  try {
    const found = await handle.stat();
    if (found.isDirectory()) throw new StorageError(`read ${path}: it is a folder`);
    if (!found.isFile()) throw new StorageError(`read ${path}: it is no regular file`);
    return handle;
  } catch (error) {
    await handle.close();
    throw error;
  }
}
