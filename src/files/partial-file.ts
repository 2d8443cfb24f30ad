/**
 * The unfinished file on disk, from lock to publication. After any crash the output is either
 * absent (or what it was) or right: nothing bears its name before the whole digest was read back.
 */

import { type FileHandle, statfs } from "node:fs/promises";
import { StorageError } from "../errors.js";
import type { Partial, Sink } from "../ports.js";
import type { Manifest } from "../trust/manifest.js";
import { syncFolder, unlinkIfThere } from "./folder.js";
import { type JournalFile, openJournal, writeAll } from "./journal-file.js";
import { openLocked } from "./locked-file.js";
import { preallocate } from "./preallocate.js";
import { publishFile } from "./publish-file.js";
import { storageError } from "./storage-error.js";
import { checkTarget, type Target } from "./target.js";

/** How the output is to be treated. */
export interface PartialOptions {
  readonly manifest: Manifest;
  /** Whether an existing regular file of the output's name may be replaced. */
  readonly isForced: boolean;
  /** Whether an earlier run's partial is taken up; if not, it is set aside under another name. */
  readonly resumes: boolean;
}

/** Locks, checks and opens the partial of a target. Throws StorageError, with what to do. */
export async function openPartialFile(target: Target, options: PartialOptions): Promise<Partial> {
  const { manifest, isForced, resumes } = options;
  await checkTarget(target, isForced);
  const { handle, release, setAside } = await openLocked(target, resumes);
  let journal: JournalFile | undefined;
  try {
    const leftoverBytes = Math.min((await handle.stat()).size, manifest.size);
    await reserve(handle, target, manifest.size);
    journal = await openJournal(target.journal, manifest);
    // The header must be found after a crash, or the bytes that follow are nobody's.
    await syncFolder(target.folder);
    const opened = { target, handle, journal, release, leftoverBytes, isForced };
    return { ...partialOf(opened), setAside };
  } catch (error) {
    await journal?.close();
    await release();
    throw storageError("write", target.partial, error);
  }
}

interface Open {
  readonly target: Target;
  readonly handle: FileHandle;
  readonly journal: JournalFile;
  readonly release: () => Promise<void>;
  readonly leftoverBytes: number;
  readonly isForced: boolean;
}

function partialOf(parts: Open): Partial {
  const { target, handle, journal, release, leftoverBytes } = parts;
  return {
    sink: sinkOf(handle, target.partial),
    journal,
    leftoverBytes,
    publish: () => publishFile(parts),
    async discard() {
      await unlinkIfThere(target.journal);
      await unlinkIfThere(target.partial);
    },
    async [Symbol.asyncDispose]() {
      await journal.close();
      await release();
    },
  };
}

function sinkOf(handle: FileHandle, path: string): Sink {
  return {
    async write(offset, bytes) {
      try {
        await writeAll(handle, bytes, offset);
      } catch (error) {
        throw storageError("write", path, error);
      }
    },
    async read(offset, buffer) {
      try {
        let done = 0;
        while (done < buffer.length) {
          const length = buffer.length - done;
          const { bytesRead } = await handle.read(buffer, done, length, offset + done);
          if (bytesRead === 0) break;
          done += bytesRead;
        }
        return done;
      } catch (error) {
        throw storageError("read", path, error);
      }
    },
    async sync() {
      try {
        await handle.datasync();
      } catch (error) {
        throw storageError("sync", path, error);
      }
    },
  };
}

/** Fails now rather than at 99 %: asks for the space, then takes it. */
async function reserve(handle: FileHandle, target: Target, size: number): Promise<void> {
  const { size: present, blocks } = await handle.stat();
  if (present > size) await handle.truncate(size);
  const { bavail, bsize } = await statfs(target.folder);
  const missing = size - Math.min(size, blocks * 512);
  if (missing > bavail * bsize) {
    throw new StorageError(
      `write ${target.output}: ${missing} bytes are needed and ${bavail * bsize} are free; ` +
        "free some space and run it again",
    );
  }
  await preallocate(handle, { present: Math.min(present, size), size });
}
