/**
 * The durable list of verified pieces. A header names the manifest; then one record a piece, each
 * with its own CRC. Whatever a crash tore at the end is cut off. It is a hint: nobody believes a
 * piece without reading it.
 *
 * Header: `QJL1`, u32 length of the identity, the identity in UTF-8, u32 CRC of it.
 * Record: u32 piece, 32 bytes leaf digest, u32 CRC of both. Little endian.
 */

import { constants } from "node:fs";
import { type FileHandle, open } from "node:fs/promises";
import { crc32 } from "node:zlib";
import { StorageError } from "../errors.js";
import type { Journal, JournalRecord } from "../ports.js";
import { pieceIndex } from "../schedule/pieces.js";
import { digestBytes } from "../trust/digest.js";
import type { Manifest } from "../trust/manifest.js";
import { closeQuietly } from "./close.js";
import { storageError } from "./storage-error.js";

const magic = "QJL1";
const recordBytes = 4 + digestBytes + 4;

/** An open journal. */
export interface JournalFile extends Journal {
  /** Never rejects: every append was synced, or has failed and said so. */
  close(): Promise<void>;
}

/**
 * Opens the journal at `path`, or begins a new one when there is none, or when it is of another
 * manifest. A journal that a newer version wrote is refused, not overwritten.
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
    const identity = identityOf(manifest);
    const parsed = parseJournal(await handle.readFile(), identity, manifest.pieceCount);
    if (parsed.kind === "newer") {
      throw new StorageError(
        `open the journal ${path}: a newer quorate wrote it; use that one, or --no-resume`,
      );
    }
    if (parsed.kind === "known") {
      await handle.truncate(parsed.endBytes);
      return journalOf(handle, path, parsed.endBytes, parsed.records);
    }
    const header = headerOf(identity);
    await handle.truncate(0);
    await writeAll(handle, header, 0);
    await handle.sync();
    return journalOf(handle, path, header.length, undefined);
  } catch (error) {
    await closeQuietly(handle);
    throw storageError("open the journal", path, error);
  }
}

function journalOf(
  handle: FileHandle,
  path: string,
  startBytes: number,
  claimed: readonly JournalRecord[] | undefined,
): JournalFile {
  let endBytes = startBytes;
  return {
    claimed,
    async append(records) {
      const bytes = Buffer.concat(records.map(encodeRecord));
      try {
        await writeAll(handle, bytes, endBytes);
        await handle.datasync();
      } catch (error) {
        throw storageError("write the journal", path, error);
      }
      endBytes += bytes.length;
    },
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
  if (start !== magic) return { kind: /^QJL[2-9]$/.test(start) ? "newer" : "other" };
  const header = headerOf(identity);
  if (Buffer.compare(bytes.subarray(0, header.length), header) !== 0) return { kind: "other" };
  const records: JournalRecord[] = [];
  let endBytes = header.length;
  for (; endBytes + recordBytes <= bytes.length; endBytes += recordBytes) {
    const record = decodeRecord(bytes.subarray(endBytes, endBytes + recordBytes), pieceCount);
    if (record === undefined) break;
    records.push(record);
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

/**
 * A short write comes before ENOSPC: go on until everything is written or the next write says why
 * not.
 */
export async function writeAll(
  handle: FileHandle,
  bytes: Uint8Array,
  offset: number,
): Promise<void> {
  for (let done = 0; done < bytes.length; ) {
    const { bytesWritten } = await handle.write(bytes, done, bytes.length - done, offset + done);
    done += bytesWritten;
  }
}
