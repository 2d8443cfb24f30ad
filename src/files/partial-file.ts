/**
 * The unfinished file on disk, from lock to publication. After any crash the output is either
 * absent (or what it was) or right: nothing bears its name before the whole digest was read back.
 */

import { type FileHandle, statfs } from "node:fs/promises";
import { StorageError } from "../errors.js";
import type { HashPieces, PiecesToHash, StartPrefixDigest } from "../hash-ports.js";
import type { PartialOutput, Sink } from "../ports.js";
import type { Manifest } from "../trust/manifest.js";
import { type SyncFolder, syncFolder, unlinkIfThere } from "./folder.js";
import { readerOf, writeAll } from "./in-full.js";
import { type JournalFile, openJournal } from "./journal-file.js";
import { inspect, lostNameError, openLocked } from "./locked-file.js";
import { preallocate } from "./preallocate.js";
import { publishFile } from "./publish-file.js";
import type { ReplacedFile } from "./replaced-file.js";
import { storageError } from "./storage-error.js";
import { checkTarget, type Target } from "./target.js";

/** How the output is to be treated. */
export interface PartialOptions {
  readonly manifest: Manifest;
  /** Whether an existing regular file of the output's name may be replaced. */
  readonly isForced: boolean;
  /** Whether an earlier run's partial is taken up; if not, it is set aside under another name. */
  readonly resumes: boolean;
  /** Hashes pieces on other cores; without it the partial can only be read. */
  readonly hashPieces?: HashPieces;
  /** Digests what is being filled on another core; without it the partial is read at the end. */
  readonly startPrefixDigest?: StartPrefixDigest | undefined;
  /** Makes the names in its folder durable. Default: by itself, whoever else does so just then. */
  readonly syncFolder?: SyncFolder | undefined;
  /** The output as it was found, when it is replaced only if it still is that, and resembled. */
  readonly replaces?: ReplacedFile | undefined;
}

/** A partial that is open. */
export interface PartialFile extends PartialOutput {
  readonly fd: number;
}

/**
 * Locks, checks and opens the partial of a target. Throws StorageError, with what to do; nothing is
 * left then that was not there before, and what was there stays as it was.
 */
export async function openPartialFile(
  target: Target,
  options: PartialOptions,
): Promise<PartialFile> {
  const { manifest, isForced, resumes, replaces } = options;
  await checkTarget(target, isForced);
  // Before anything is read or written: what another process is changing tells us nothing.
  const { handle, release, setAside } = await openLocked(target, resumes);
  let journal: JournalFile | undefined;
  let leftoverBytes: number | undefined;
  try {
    leftoverBytes = Math.min((await handle.stat()).size, manifest.size);
    // Read before anything is changed: a newer version's partial is not ours to cut or to fill.
    journal = await openJournal(target.journal, manifest);
    await reserve(handle, target, manifest.size);
    // With bytes there that no journal of ours vouches for, the first append begins it, with what a
    // scan found: a crash before that must not leave a journal that claims nothing of all that.
    if (leftoverBytes === 0 || journal.claimed !== undefined) await journal.begin();
    // The names must be found after a crash, or the bytes that follow are nobody's.
    await (options.syncFolder ?? syncFolder)(target.folder);
    const files = { target, handle, journal, release };
    const opened = { ...files, leftoverBytes, isForced, replaces, syncFolder: options.syncFolder };
    const hashPieces = hashingOf(handle, target.partial, options.hashPieces);
    const { startPrefixDigest } = options;
    const { size, pieceBytes } = manifest;
    const file = { fd: handle.fd, size, pieceBytes };
    const startDigest = startPrefixDigest && (() => startPrefixDigest(file));
    return { ...partialOf(opened), fd: handle.fd, hashPieces, startDigest, setAside };
  } catch (error) {
    await journal?.close();
    // A download that never began leaves no litter; our lock is on the partial, so it goes last.
    if (journal?.isNew === true) await unlinkIfThere(target.journal).catch(() => {});
    if (leftoverBytes === 0) await unlinkIfThere(target.partial).catch(() => {});
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
  readonly replaces: ReplacedFile | undefined;
  readonly syncFolder: SyncFolder | undefined;
}

function partialOf(parts: Open): PartialOutput {
  const { target, handle, journal, release, leftoverBytes } = parts;
  const sink = sinkOf(handle, target.partial);
  return {
    sink,
    journal,
    leftoverBytes,
    publish: () => publishFile({ ...parts, syncBytes: sink.sync }),
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

function hashingOf({ fd }: FileHandle, path: string, hashPieces: HashPieces | undefined) {
  if (hashPieces === undefined) return undefined;
  return async (request: PiecesToHash) => {
    try {
      return await hashPieces({ ...request, fd });
    } catch (error) {
      request.signal.throwIfAborted();
      throw storageError("read", path, error);
    }
  };
}

function sinkOf(handle: FileHandle, path: string): Sink {
  let writes = 0;
  /** How many of them are durable; fewer than none until what was there before is. */
  let durable = -1;
  return {
    async write(offset, bytes) {
      try {
        await writeAll(handle, bytes, offset);
        writes++;
      } catch (error) {
        throw storageError("write", path, error);
      }
    },
    read: readerOf(handle, path),
    async sync() {
      const written = writes;
      // What is durable need not wait for the disk's cache again.
      try {
        if (written !== durable) await handle.datasync();
        durable = written;
        if (!(await inspect(handle, path)).isOurs) throw lostNameError(path);
      } catch (error) {
        throw storageError("sync", path, error);
      }
    },
  };
}

/** Fails now rather than at 99 %: asks for the space, then takes it. */
async function reserve(handle: FileHandle, target: Target, size: number): Promise<void> {
  const { size: present, blocks } = await handle.stat();
  const { freeBytes, isInMemory } = await spaceIn(target.folder);
  const missing = size - Math.min(size, blocks * 512);
  if (missing > freeBytes) {
    throw new StorageError(
      `write ${target.output}: ${missing} bytes are needed and ${freeBytes} are free; ` +
        "free some space and run it again",
    );
  }
  // Another state of the file was longer: its tail would be published with ours.
  if (present > size) await handle.truncate(size);
  await preallocate(handle, { present: Math.min(present, size), size, isInMemory });
}

/** `f_type` of tmpfs, by statfs(2). */
const tmpfs = 0x0102_1994;

/** The free bytes are Infinity where the file system does not say: some network ones count none. */
async function spaceIn(folder: string) {
  const found = await statfs(folder).catch(() => undefined);
  const counts = found !== undefined && found.blocks !== 0;
  const freeBytes = counts ? found.bavail * found.bsize : Number.POSITIVE_INFINITY;
  return { freeBytes, isInMemory: counts && found.type === tmpfs };
}
