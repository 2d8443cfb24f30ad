/**
 * One run of a client on a modelled disk: the production journal, resume and checkpoint, with a bug
 * planted or without, and a book of what it may take for safe.
 */

import { Checkpoint } from "../../src/download/checkpoint.js";
import { resume } from "../../src/download/resume.js";
import { writeAll } from "../../src/files/in-full.js";
import { type JournalFile, takeUpJournal } from "../../src/files/journal-file.js";
import type { Journal, PartialOutput } from "../../src/ports.js";
import { bytesOf, pieceIndex } from "../../src/schedule/pieces.js";
import type { Range } from "../../src/schedule/range.js";
import { leafAt } from "../../src/trust/merkle.js";
import type { Seeded } from "../support/seeded.js";
import type { ModelledFile } from "./modelled-disk.js";
import type { FileOfWorld, Plant, World } from "./modelled-world.js";

/** The two files of a download. */
export interface Disk {
  readonly partial: ModelledFile;
  readonly journal: ModelledFile;
}

/** What a client knows to be safe, and from what. */
export interface Book {
  readonly durable: Set<number>;
  readonly journaled: Set<number>;
  isRefused: boolean;
}

const signal = new AbortController().signal;

/** A client that has taken up what was there. */
export interface Open {
  readonly partial: PartialOutput;
  readonly resumed: Awaited<ReturnType<typeof resume>>;
  readonly missing: readonly number[];
}

/** Opens what is there and resumes. */
export async function open(
  world: World,
  of: FileOfWorld,
  disk: Disk,
  { book, isFresh = false }: { readonly book: Book; readonly isFresh?: boolean },
): Promise<Open> {
  const { manifest, bytes } = of;
  const { plant } = world.options;
  const size = disk.journal.bytes.length;
  const handle = plant === "old-records" ? withOldRecords(disk.journal) : disk.journal;
  const journal = await takeUpJournal({ handle, path: "journal", size, manifest });
  // As openPartialFile does, when there is nothing that a scan could find.
  if (isFresh || journal.claimed !== undefined) await journal.begin();
  const partial: PartialOutput = {
    sink: {
      write: (offset, piece) => writeAll(disk.partial, piece, offset),
      read: async (offset, buffer) => disk.partial.bytes.copy(buffer, 0, offset),
      sync: () => disk.partial.datasync(),
    },
    journal: booked(journal, book, plant),
    leftoverBytes: isFresh ? 0 : bytes.length,
    publish: async () => "published",
    discard: async () => {},
    [Symbol.asyncDispose]: async () => {},
  };
  const digests = world.hasDigests ? manifest.pieces : undefined;
  const unsettled = { ...partial, journal: { ...partial.journal, sync: async () => {} } };
  const taken = plant === "unsettled" ? unsettled : partial;
  const resumed = await resume(taken, manifest, { digests, signal });
  const all = Array.from({ length: manifest.pieceCount }, (_, piece) => piece);
  const missing = all.filter((piece) => !resumed.verified.has(piece));
  return { partial, resumed, missing };
}

/** Forgets to wait until a journal that was cut to nothing is nothing on the disk, too. */
function withOldRecords(file: ModelledFile) {
  return {
    read: file.read.bind(file),
    write: file.write.bind(file),
    truncate: file.truncate.bind(file),
    datasync: async () => (file.bytes.length === 0 ? undefined : file.datasync()),
    close: () => file.close(),
  };
}

/** The production journal, of which a book is kept. */
function booked(journal: JournalFile, book: Book, plant: Plant): Journal {
  return {
    claimed: journal.claimed,
    disown: async (pieces) => {
      if (plant !== "nothing-disowned") await journal.disown(pieces);
    },
    async append(records) {
      await journal.append(records);
      if (book.isRefused) return;
      for (const { piece } of records) book.journaled.add(piece);
    },
    async sync(syncBytes) {
      const vouched = [...book.journaled];
      const synced = async () => {
        await syncBytes().catch((error: unknown) => {
          book.isRefused = true;
          book.journaled.clear();
          for (const piece of book.durable) book.journaled.add(piece);
          throw error;
        });
      };
      if (plant !== "nothing-taken-back") await journal.sync(synced);
      else await synced().then(() => journal.sync(async () => {}));
      for (const piece of vouched) book.durable.add(piece);
    },
  };
}

/** Gets what is missing, as a transfer does. */
export async function getAll(
  world: World,
  of: FileOfWorld,
  { partial, ...opened }: Open,
): Promise<void> {
  const { random, options } = world;
  const checkpoint = new Checkpoint(partial, 0);
  for (const record of opened.resumed.unrecorded) checkpoint.add(record, 1, 0);
  await checkpoint.flush();
  let now = 0;
  const writes: Promise<void>[] = [];
  for (const piece of shuffled(opened.missing, random)) {
    const record = { piece: pieceIndex(piece), digest: leafAt(of.manifest.pieces, piece) };
    const range = bytesOf(of.manifest, { start: piece, end: piece + 1 });
    const add = () => checkpoint.add(record, range.end - range.start, now);
    if (options.plant === "early-records") add();
    const writing = writePiece(partial, of, range, random);
    writes.push(options.plant === "early-records" ? writing : writing.then(add));
    // As in a transfer: some pieces are waited for, others are written side by side.
    if (random.below(2) === 0) await Promise.all(writes.splice(0));
    now += random.below(random.pick([100, 1500]) ?? 100);
    checkpoint.poll(now);
  }
  await Promise.all(writes);
  await checkpoint.flush();
}

/** A piece comes in one write or in several, some time later. */
async function writePiece(
  { sink }: PartialOutput,
  { bytes }: FileOfWorld,
  range: Range,
  random: Seeded,
): Promise<void> {
  for (let turns = random.below(12); turns > 0; turns--) await Promise.resolve();
  const middle = range.start + random.below(range.end - range.start);
  if (middle > range.start) await sink.write(range.start, bytes.subarray(range.start, middle));
  await sink.write(middle, bytes.subarray(middle, range.end));
}

function shuffled(pieces: readonly number[], random: Seeded): number[] {
  const left = [...pieces];
  return pieces.map(() => left.splice(random.below(left.length), 1)[0] ?? 0);
}
