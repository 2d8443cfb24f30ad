/**
 * The list of written pieces. A header names the manifest; then one record a piece, each
 * with its own CRC. Whatever a crash tore at the end is cut off, and a damaged record costs its own
 * piece alone. It is a hint: nobody believes a piece without reading it.
 *
 * Header: `QJL1`, u32 length of the identity, the identity in UTF-8, u32 CRC of it.
 * Record: u32 piece, 32 bytes leaf digest, u32 CRC of both. Little endian. Of a piece the last one
 * counts; a digest of zeros says that the piece is not there.
 */

import { constants } from "node:fs";
import { open } from "node:fs/promises";
import { crc32 } from "node:zlib";
import { StorageError } from "../errors.js";
import type { Journal, JournalRecord } from "../ports.js";
import { type PieceIndex, pieceIndex } from "../schedule/pieces.js";
import { digestBytes } from "../trust/digest.js";
import type { Manifest } from "../trust/manifest.js";
import { closeQuietly } from "./close.js";
import { type Readable, readAll, type Writable, writeAll } from "./in-full.js";
import { storageError } from "./storage-error.js";

const magic = "QJL1";
const recordBytes = 4 + digestBytes + 4;
const disowned = new Uint8Array(digestBytes);

/** An open journal. */
export interface JournalFile extends Journal {
  /** Whether no journal was there. */
  readonly isNew: boolean;
  /** Makes it a journal of this manifest, durably; the first append and sync do so otherwise. */
  begin(): Promise<void>;
  /** Never rejects: what had to be durable was synced, or has failed and said so. */
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
  return new OpenJournal({ handle, path, header, parsed, isNew: size === 0 });
}

interface Opened {
  readonly handle: JournalBytes;
  readonly path: string;
  readonly header: Buffer;
  readonly parsed: Exclude<Parsed, { readonly kind: "newer" }>;
  readonly isNew: boolean;
}

class OpenJournal implements JournalFile {
  readonly isNew: boolean;
  readonly claimed: readonly JournalRecord[] | undefined;
  readonly #handle: JournalBytes;
  readonly #path: string;
  readonly #header: Buffer;
  #endBytes: number;
  /** Up to here stands nothing whose bytes this run has not seen synced. */
  #soundBytes: number;
  #hasBegun = false;
  /** What was disowned behind that: it stays true when the rest is taken back. */
  readonly #disowned: JournalRecord[] = [];
  #last: Promise<unknown> = Promise.resolve();
  /** Why the bytes could not be synced, once they could not. */
  #refused: { readonly error: unknown } | undefined;

  constructor({ handle, path, header, parsed, isNew }: Opened) {
    const isKnown = parsed.kind === "known";
    this.isNew = isNew;
    this.claimed = isKnown ? parsed.records : undefined;
    this.#handle = handle;
    this.#path = path;
    this.#header = header;
    this.#endBytes = isKnown ? parsed.endBytes : 0;
    this.#soundBytes = isKnown ? header.length : 0;
  }

  async begin(): Promise<void> {
    await this.append([]);
    await this.#told(this.#handle.datasync());
  }

  append(records: readonly JournalRecord[]): Promise<void> {
    return this.#inTurn(async () => {
      if (this.#refused !== undefined) throw this.#refused.error;
      await this.#write(records);
    });
  }

  disown(pieces: readonly PieceIndex[]): Promise<void> {
    const records = pieces.map((piece) => ({ piece, digest: disowned }));
    for (const record of records) this.#disowned.push(record);
    return this.append(records);
  }

  async sync(syncBytes: () => Promise<void>, isLast = false): Promise<void> {
    if (!isLast) await this.#last;
    if (this.#refused !== undefined) throw this.#refused.error;
    // What is appended while the bytes are synced is not vouched for.
    const writtenBytes = this.#endBytes;
    const writtenDisowned = this.#disowned.length;
    try {
      await syncBytes();
    } catch (error) {
      this.#refused = { error };
      // Where the disk refuses even that, the failure that is being thrown matters more.
      await this.#inTurn(() => this.#takeBack()).catch(() => {});
      throw error;
    }
    if (isLast) return;
    await this.#told(this.#handle.datasync());
    this.#soundBytes = writtenBytes;
    this.#disowned.splice(0, writtenDisowned);
  }

  close(): Promise<void> {
    return closeQuietly(this.#handle);
  }

  async #write(records: readonly JournalRecord[]): Promise<void> {
    // A torn tail, or a journal of another manifest, goes only now that something replaces it.
    if (!this.#hasBegun) await this.#handle.truncate(this.#endBytes);
    // A power cut could otherwise leave the new header above old records, of another file.
    if (this.#endBytes === 0 && !this.isNew) await this.#handle.datasync();
    const start = this.#endBytes === 0 ? [this.#header] : [];
    const bytes = Buffer.concat([...start, ...records.map(encodeRecord)]);
    await writeAll(this.#handle, bytes, this.#endBytes);
    this.#hasBegun = true;
    this.#endBytes += bytes.length;
    this.#soundBytes = Math.max(this.#soundBytes, this.#header.length);
  }

  #takeBack(): Promise<void> {
    this.#endBytes = this.#soundBytes;
    this.#hasBegun = false;
    // Without a header the next run would look at every place, and find there what is lost.
    return this.#write(this.#disowned);
  }

  /** One after the other: each write is where the one before it ended. */
  #inTurn(work: () => Promise<void>): Promise<void> {
    const done = this.#told(this.#last.then(work));
    this.#last = done.catch(() => {});
    return done;
  }

  #told(work: Promise<void>): Promise<void> {
    return work.catch((error: unknown) => {
      throw storageError("write the journal", this.#path, error);
    });
  }
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
  const records = new Map<PieceIndex, JournalRecord>();
  let endBytes = header.length;
  for (let at = header.length; at + recordBytes <= bytes.length; at += recordBytes) {
    const record = decodeRecord(bytes.subarray(at, at + recordBytes), pieceCount);
    // Damaged in the middle: those behind it still stand at their places, each with its own CRC.
    if (record === undefined) continue;
    // Again, it stands where it was said last.
    records.delete(record.piece);
    if (Buffer.compare(record.digest, disowned) !== 0) records.set(record.piece, record);
    endBytes = at + recordBytes;
  }
  return { kind: "known", records: [...records.values()], endBytes };
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
