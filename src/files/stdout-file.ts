/**
 * Writes to stdout where that is a regular file. Node's own stream takes a short write, such as the
 * last one before a disk is full, for a whole one.
 */

import { fstat, write } from "node:fs";
import { promisify } from "node:util";
import { storageError } from "./storage-error.js";

const stdout = 1;

/**
 * Writes bytes in full, after what is there; `undefined` where stdout is no regular file. Rejects
 * with a StorageError.
 */
export async function stdoutFile(): Promise<((bytes: Uint8Array) => Promise<void>) | undefined> {
  const found = await promisify(fstat)(stdout);
  if (!found.isFile()) return undefined;
  return async (bytes) => {
    try {
      for (let done = 0; done < bytes.length; ) {
        done += await writeSome(bytes.subarray(done));
      }
    } catch (error) {
      throw storageError("write", "stdout", error, "nothing");
    }
  };
}

function writeSome(bytes: Uint8Array): Promise<number> {
  return new Promise((resolve, reject) => {
    write(stdout, bytes, (error, written) => (error === null ? resolve(written) : reject(error)));
  });
}
