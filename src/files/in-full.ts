/** Reads and writes in full: a system call may do less than it was asked to, and succeed. */

import type { Sink } from "../ports.js";
import { storageError } from "./storage-error.js";

/** A call at a place in a file, as a FileHandle has it. */
export type Positioned<Result> = (
  bytes: Uint8Array,
  from: number,
  length: number,
  position: number,
) => Promise<Result>;

export interface Readable {
  read: Positioned<{ readonly bytesRead: number }>;
}

export interface Writable {
  write: Positioned<{ readonly bytesWritten: number }>;
}

/**
 * A short write comes before ENOSPC: go on until everything is written or the next write says why
 * not.
 */
export async function writeAll(file: Writable, bytes: Uint8Array, offset: number): Promise<void> {
  for (let done = 0; done < bytes.length; ) {
    const { bytesWritten } = await file.write(bytes, done, bytes.length - done, offset + done);
    done += bytesWritten;
  }
}

/** Reads until the buffer is full or the file ends; gives how much was read. */
export async function readAll(file: Readable, buffer: Uint8Array, offset: number): Promise<number> {
  let done = 0;
  while (done < buffer.length) {
    const { bytesRead } = await file.read(buffer, done, buffer.length - done, offset + done);
    if (bytesRead === 0) break;
    done += bytesRead;
  }
  return done;
}

/** Reads of an open file, as sinks and seeds have them: a failure is a StorageError. */
export function readerOf(file: Readable, path: string): Sink["read"] {
  return async (offset, buffer) => {
    try {
      return await readAll(file, buffer, offset);
    } catch (error) {
      throw storageError("read", path, error);
    }
  };
}
