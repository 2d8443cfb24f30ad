/** A file opened for reading, pinned to the state in which it was found. */

import { createHash } from "node:crypto";
import type { BigIntStats } from "node:fs";
import type { FileHandle } from "node:fs/promises";
import { limits } from "../limits.js";
import { ReplicaFault } from "../ports.js";
import type { FileVersion, HashFile, OpenFile } from "../server-ports.js";
import type { FileManifest } from "../trust/manifest.js";
import { ManifestBuilder } from "../trust/manifest-builder.js";
import { errorCode } from "./storage-error.js";

/** Wraps an open handle, which is closed with it. */
export function openFileOf(handle: FileHandle, stats: BigIntStats, hashFile: HashFile): OpenFile {
  const version = versionOf(stats);
  return {
    version,
    async read(offset, buffer) {
      try {
        return (await handle.read(buffer, 0, buffer.length, offset)).bytesRead;
      } catch (error) {
        throw diskFault(error);
      }
    },
    async hasChanged() {
      const now = await handle.stat({ bigint: true });
      return stateFields.some((field) => now[field] !== stats[field]);
    },
    async digest(onProgress, signal) {
      const { size } = version;
      try {
        if (size <= limits.inlineHashBytes) return await digestInline(handle, size);
        return await hashFile({ fd: handle.fd, size, onProgress, signal });
      } catch (error) {
        signal.throwIfAborted();
        throw await hashFault(error, handle, size);
      }
    },
    close: () => handle.close(),
  };
}

/** Reads a small file whole and says what it is. Rejects when it ends before `size`. */
export async function digestInline(
  handle: FileHandle,
  size: number,
  pieceBytes?: number,
): Promise<FileManifest> {
  const bytes = Buffer.allocUnsafe(size);
  const { bytesRead } = size === 0 ? { bytesRead: 0 } : await handle.read(bytes, 0, size, 0);
  if (bytesRead < size) throw new Error(`the file ended at byte ${bytesRead} of ${size}`);
  const builder = new ManifestBuilder(size, pieceBytes);
  builder.add(bytes);
  return builder.finish();
}

/** The process has no descriptors left for now. */
export function busyFault(cause: unknown): ReplicaFault {
  return new ReplicaFault({ kind: "busy", retryMs: limits.busyRetryMs }, { cause });
}

export function diskFault(error: unknown): ReplicaFault {
  const detail = `its disk failed (${errorCode(error) ?? "unknown"})`;
  return new ReplicaFault({ kind: "corrupt", detail }, { cause: error });
}

/** Why a hash failed: the file, the process, the disk; what is none of them was not foreseen. */
async function hashFault(error: unknown, handle: FileHandle, size: number): Promise<unknown> {
  if ((await handle.stat()).size < size) {
    return new ReplicaFault({ kind: "changed", detail: "it became shorter while it was hashed" });
  }
  // A thread needs descriptors of its own; without them Node says no more than the second.
  if (hasCode(error, "EMFILE", "ENFILE", "ERR_WORKER_INIT_FAILED")) return busyFault(error);
  return errorCode(error) === undefined ? error : diskFault(error);
}

function hasCode(error: unknown, ...codes: readonly string[]): boolean {
  return error instanceof Error && "code" in error && codes.includes(String(error.code));
}

/** What tells one state of one file from another, as far as the file system tells. */
const stateFields = ["dev", "ino", "size", "mtimeNs", "ctimeNs"] as const;

/** The same key means the same state. */
function versionOf(stats: BigIntStats): FileVersion {
  const { size, mtimeNs, ctimeNs } = stats;
  const changedMs = Number((mtimeNs > ctimeNs ? mtimeNs : ctimeNs) / 1_000_000n);
  return {
    // Hashed, because it travels: nobody needs to know our inode numbers.
    key: createHash("sha256")
      .update(stateFields.map((field) => stats[field]).join(" "))
      .digest("hex")
      .slice(0, 32),
    size: Number(size),
    ageMs: Date.now() - changedMs,
  };
}
