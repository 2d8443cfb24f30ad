/**
 * The durable list of verified pieces. A header names the manifest; then one record a piece, each
 * with its own CRC. Whatever a crash tore at the end is cut off, and a damaged record costs its own
 * piece alone. It is a hint: nobody believes a piece without reading it.
 *
 * Header: `QJL1`, u32 length of the identity, the identity in UTF-8, u32 CRC of it.
 * Record: u32 piece, 32 bytes leaf digest, u32 CRC of both. Little endian.
 */

import { constants } from "node:fs";
import { open } from "node:fs/promises";
import { crc32 } from "node:zlib";
import { StorageError } from "../errors.js";
import type { Journal, JournalRecord } from "../ports.js";
import { pieceIndex } from "../schedule/pieces.js";
import { digestBytes } from "../trust/digest.js";
import type { Manifest } from "../trust/manifest.js";
import { closeQuietly } from "./close.js";
import { type Readable, readAll, type Writable, writeAll } from "./in-full.js";
import { storageError } from "./storage-error.js";

const magic = "QJL1";
const recordBytes = 4 + digestBytes + 4;

/** An open journal. */
export interface JournalFile extends Journal {
  /** Whether no journal was there. */
  readonly isNew: boolean;
  /** Makes it a journal of this manifest, durably; the first append does so otherwise. */
  begin(): Promise<void>;
  /** Never rejects: every append was synced, or has failed and said so. */
  close(): Promise<void>;
}

/** What a journal needs from its open file; a FileHandle has it. */
export interface JournalBytes extends Readable, Writable {
  truncate(length: number): Promise<void>;
  datasync(): Promise<void>;
  close(): Promise<void>;
}

/**
 * Opens the journal at `path`, or an empty one when there is none, and changes nothing in it before
 * `begin` or the first append: until then one of another manifest stays as it is. A journal that a
 * newer version wrote is refused.
 */
export async function openJournal(path: string, manifest: Manifest): Promise<JournalFile> {
  const flags = constants.O_RDWR | constants.O_CREAT | constants.O_NOFOLLOW | constants.O_NONBLOCK;
  const handle = await open(path, flags, 0o600).catch((error: unknown) => {
    throw storageError("open the journal", path, error);
  });
  try {
    const found = await handle.stat();
    if (!found.isFile() || found.nlink > 1) {
      throw new StorageError(
        `open the journal ${path}: it is no regular file, or has another name; remove it`,
      );
    }
    return await takeUpJournal({ handle, path, size: found.size, manifest });
  } catch (error) {
    await closeQuietly(handle);
    throw storageError("open the journal", path, error);
  }
}

/**
 * Takes up the journal in an open file of `size` bytes, and changes nothing yet. Throws
 * StorageError when a newer version wrote it.
 */
export async function takeUpJournal(file: {
  readonly handle: JournalBytes;
  readonly path: string;
  readonly size: number;
  readonly manifest: Manifest;
}): Promise<JournalFile> {
  const { handle, path, size, manifest } = file;
  const identity = identityOf(manifest);
  const header = headerOf(identity);
  // Records may be there twice after a resume; more than that is damage, not worth its memory.
  const mostBytes = header.length + recordBytes * (4 * manifest.pieceCount + 1024);
  const bytes = Buffer.alloc(Math.min(size, mostBytes));
  const length = await readAll(handle, bytes, 0);
  const parsed = parseJournal(bytes.subarray(0, length), identity, manifest.pieceCount);
  if (parsed.kind === "newer") {
    throw new StorageError(
      `open the journal ${path}: a newer quorate wrote it; use that one, or --no-resume`,
    );
  }
  return journalOf({ handle, path, header, parsed, isNew: size === 0 });
}

interface Opened {
  readonly handle: JournalBytes;
  readonly path: string;
  readonly header: Buffer;
  readonly parsed: Exclude<Parsed, { readonly kind: "newer" }>;
  readonly isNew: boolean;
}

function journalOf({ handle, path, header, parsed, isNew }: Opened): JournalFile {
  const isKnown = parsed.kind === "known";
  let endBytes = isKnown ? parsed.endBytes : 0;
  let hasBegun = false;
  const append = async (records: readonly JournalRecord[]) => {
    try {
      // A torn tail, or a journal of another manifest, goes only now that something replaces it.
      if (!hasBegun) await handle.truncate(endBytes);
      // A power cut could otherwise leave the new header above old records, of another file.
      if (endBytes === 0 && !isNew) await handle.datasync();
      const start = endBytes === 0 ? [header] : [];
      const bytes = Buffer.concat([...start, ...records.map(encodeRecord)]);
      await writeAll(handle, bytes, endBytes);
      // Only what is durable counts, or a record could be lost after we were told that it is safe.
      await handle.datasync();
      hasBegun = true;
      endBytes += bytes.length;
    } catch (error) {
      throw storageError("write the journal", path, error);
    }
  };
  return {
    isNew,
    claimed: isKnown ? parsed.records : undefined,
    append,
    begin: () => append([]),
    close: () => closeQuietly(handle),
  };
}

type Parsed =
  | { readonly kind: "known"; readonly records: JournalRecord[]; readonly endBytes: number }
  | { readonly kind: "other" }
  | { readonly kind: "newer" };

/** What a journal's bytes say. Never throws: anything that makes no sense is simply not there. */
export function parseJournal(bytes: Buffer, identity: string, pieceCount: number): Parsed {
  const start = bytes.toString("latin1", 0, magic.length);
  if (start !== magic) return { kind: /^QJL[2-9A-Za-z]$/.test(start) ? "newer" : "other" };
  const header = headerOf(identity);
  if (Buffer.compare(bytes.subarray(0, header.length), header) !== 0) return { kind: "other" };
  const records: JournalRecord[] = [];
  let endBytes = header.length;
  for (let at = header.length; at + recordBytes <= bytes.length; at += recordBytes) {
    const record = decodeRecord(bytes.subarray(at, at + recordBytes), pieceCount);
    // Damaged in the middle: those behind it still stand at their places, each with its own CRC.
    if (record === undefined) continue;
    records.push(record);
    endBytes = at + recordBytes;
  }
  return { kind: "known", records, endBytes };
}

/** What must be equal for a journal to be of the same download. */
export function identityOf({ size, digest, root, pieceBytes }: Manifest): string {
  return JSON.stringify({ size, digest, root: root ?? null, pieceBytes });
}

export function headerOf(identity: string): Buffer {
  const text = Buffer.from(identity, "utf8");
  const header = Buffer.alloc(magic.length + 4 + text.length + 4);
  header.write(magic, "latin1");
  header.writeUInt32LE(text.length, magic.length);
  text.copy(header, magic.length + 4);
  header.writeUInt32LE(crc32(text), header.length - 4);
  return header;
}

export function encodeRecord({ piece, digest }: JournalRecord): Buffer {
  const record = Buffer.alloc(recordBytes);
  record.writeUInt32LE(piece);
  record.set(digest, 4);
  record.writeUInt32LE(crc32(record.subarray(0, recordBytes - 4)), recordBytes - 4);
  return record;
}

function decodeRecord(bytes: Buffer, pieceCount: number): JournalRecord | undefined {
  if (bytes.readUInt32LE(recordBytes - 4) !== crc32(bytes.subarray(0, recordBytes - 4))) {
    return undefined;
  }
  const piece = bytes.readUInt32LE(0);
  if (piece >= pieceCount) return undefined;
  return { piece: pieceIndex(piece), digest: Uint8Array.from(bytes.subarray(4, 4 + digestBytes)) };
}
