/**
 * Lives of one download on a modelled disk: each takes up what a power cut left, goes on, and is
 * cut off again. The production journal, resume and checkpoint run on it; every state that a cut
 * might leave is judged.
 */

import { Checkpoint } from "../../src/download/checkpoint.js";
import { resume } from "../../src/download/resume.js";
import { wholeDigest } from "../../src/download/whole-digest.js";
import { writeAll } from "../../src/files/in-full.js";
import { takeUpJournal } from "../../src/files/journal-file.js";
import type { JournalRecord, Partial } from "../../src/ports.js";
import { bytesOf, pieceIndex } from "../../src/schedule/pieces.js";
import { type Range, RangeSet } from "../../src/schedule/range.js";
import type { FileManifest } from "../../src/trust/manifest.js";
import { leafAt } from "../../src/trust/merkle.js";
import { manifestOfBytes } from "../support/memory-partial.js";
import { Seeded } from "../support/seeded.js";
import { ModelledFile } from "./modelled-disk.js";

/** What is wrong with the client on purpose; `none` for ours. */
type Plant = "none" | "no-sync" | "journal-first" | "late-records";

/** How a world is. */
export interface ModelledWorld {
  readonly seed: number;
  readonly plant: Plant;
  /** Whether the journal is taken at its word, without hashing what it claims. */
  readonly isBelieved: boolean;
}

/** What a power cut left, and what must still be there. */
interface Cut {
  readonly partial: Buffer;
  readonly journal: Buffer;
  /** Pieces whose records were durable before the cut. */
  readonly durable: ReadonlySet<number>;
}

interface World {
  readonly random: Seeded;
  readonly sectorBytes: number;
  /** Two states of one file, with most pieces equal. */
  readonly files: readonly [FileOfWorld, FileOfWorld];
  /** Whether the replicas give piece lists. */
  readonly hasDigests: boolean;
  readonly options: ModelledWorld;
}

interface FileOfWorld {
  readonly bytes: Buffer;
  readonly manifest: FileManifest;
}

const signal = new AbortController().signal;

/** Runs a world; gives how many states were judged, and what was wrong with the first bad one. */
export async function runModelledWorld(options: ModelledWorld) {
  const world = worldOf(options);
  const { random } = world;
  let states = 0;
  let left: Cut = { partial: Buffer.alloc(0), journal: Buffer.alloc(0), durable: new Set() };
  let of = world.files[0];
  for (let life = 0; life < 3; life++) {
    const cuts = await live(world, of, left);
    for (const cut of cuts) {
      states++;
      const wrong = await judge(world, of, cut);
      if (wrong !== undefined)
        return { states, wrong: `seed ${options.seed}, life ${life}: ${wrong}` };
    }
    left = random.pick(cuts) ?? left;
    // The file changed on the servers: the partial is of another identity now.
    if (random.below(4) === 0 && of !== world.files[1]) {
      of = world.files[1];
      left = { ...left, durable: new Set() };
    }
  }
  return { states, wrong: undefined };
}

function worldOf(options: ModelledWorld): World {
  const random = new Seeded(options.seed);
  const pieceBytes = 512 * (1 + random.below(8));
  const bytes = Buffer.alloc(pieceBytes * (2 + random.below(14)) + random.below(pieceBytes));
  for (let at = 0; at < bytes.length; at++) bytes[at] = 1 + random.below(255);
  const other = Buffer.from(bytes);
  for (let changes = 0; changes < 3; changes++) other[random.below(other.length)] = 0;
  const fileOf = (of: Buffer) => ({ bytes: of, manifest: manifestOfBytes(of, pieceBytes) });
  const sectorBytes = random.pick([512, 4096]) ?? 512;
  const hasDigests = random.below(3) > 0;
  return { random, sectorBytes, files: [fileOf(bytes), fileOf(other)], hasDigests, options };
}

/** Opens what is there, resumes and goes on; gives what cuts at its steps would have left. */
async function live(world: World, of: FileOfWorld, left: Cut): Promise<Cut[]> {
  const { random } = world;
  const cuts: Cut[] = [];
  const durable = new Set(left.durable);
  const disk = diskOf(world, of, left, (partial, journal) => {
    if (random.below(3) > 0) return;
    const states = { partial: partial.crashed(random), journal: journal.crashed(random) };
    cuts.push({ ...states, durable: new Set(durable) });
  });
  const opened = await open(world, of, disk, left.partial.length === 0);
  const { checkpoint, add } = checkpointOf(world, opened.partial, durable);
  for (const record of opened.unrecorded) add(record, 1);
  await checkpoint.flush();
  let now = 0;
  const writes: Promise<void>[] = [];
  for (const piece of shuffled(opened.missing, random)) {
    const digest = leafAt(of.manifest.pieces, piece);
    const range = bytesOf(of.manifest, { start: piece, end: piece + 1 });
    const writing = writePiece(opened.partial, of, range, random);
    const record = { piece: pieceIndex(piece), digest };
    writes.push(writing.then(() => add(record, range.end - range.start)));
    // As in a transfer: some pieces are waited for, others are written side by side.
    if (random.below(2) === 0) await Promise.all(writes.splice(0));
    now += random.below(1500);
    checkpoint.poll(now);
  }
  await Promise.all(writes);
  await checkpoint.flush();
  return cuts;
}

type Disk = Readonly<Record<"partial" | "journal", ModelledFile>>;

function diskOf(
  { sectorBytes, options }: World,
  { manifest }: FileOfWorld,
  left: Cut,
  onOperation: (partial: ModelledFile, journal: ModelledFile) => void,
): Disk {
  const shared = { sectorBytes, onOperation: () => onOperation(partial, journal) };
  const reserved = Buffer.alloc(manifest.size);
  left.partial.copy(reserved);
  const syncs = options.plant !== "no-sync";
  const partial: ModelledFile = new ModelledFile({ ...shared, bytes: reserved, syncs });
  const journal: ModelledFile = new ModelledFile({ ...shared, bytes: left.journal, syncs: true });
  return { partial, journal };
}

async function open(world: World, { bytes, manifest }: FileOfWorld, disk: Disk, isFresh = false) {
  const { journal: handle } = disk;
  const size = handle.bytes.length;
  const journal = await takeUpJournal({ handle, path: "journal", size, manifest });
  // As openPartialFile does, when there is nothing that a scan could find.
  if (isFresh || journal.claimed !== undefined) await journal.begin();
  const partial: Partial = {
    sink: {
      write: (offset, piece) => writeAll(disk.partial, piece, offset),
      read: async (offset, buffer) => disk.partial.bytes.copy(buffer, 0, offset),
      sync: () => disk.partial.datasync(),
    },
    journal,
    leftoverBytes: bytes.length,
    publish: async () => "published",
    discard: async () => {},
    [Symbol.asyncDispose]: async () => {},
  };
  const digests = world.hasDigests ? manifest.pieces : undefined;
  const claimed = (journal.claimed ?? []).map(({ piece }) => piece as number);
  const resumed = await resume(partial, manifest, { digests, signal });
  const verified =
    world.options.isBelieved && journal.claimed !== undefined
      ? RangeSet.ofEach(claimed)
      : resumed.verified;
  const all = Array.from({ length: manifest.pieceCount }, (_, piece) => piece);
  const missing = all.filter((piece) => !verified.has(piece));
  return { partial, verified, missing, unrecorded: resumed.unrecorded };
}

/** The production checkpoint, over ports that keep the order, or do not when a bug is planted. */
function checkpointOf({ options }: World, { sink, journal }: Partial, durable: Set<number>) {
  const { plant } = options;
  const added: JournalRecord[] = [];
  const append = async (records: readonly JournalRecord[]) => {
    await journal.append(plant === "late-records" ? added.splice(0) : records);
    if (plant === "journal-first") await sink.sync();
    for (const { piece } of records) durable.add(piece);
  };
  const sync = async () => {
    if (plant !== "journal-first") await sink.sync();
  };
  const checkpoint = new Checkpoint(
    { sink: { ...sink, sync }, journal: { ...journal, append } },
    0,
  );
  const add = (record: JournalRecord, bytes: number) => {
    added.push(record);
    checkpoint.add(record, bytes);
  };
  return { checkpoint, add };
}

/** A piece comes in one write or in several. */
async function writePiece(
  { sink }: Partial,
  { bytes }: FileOfWorld,
  range: Range,
  random: Seeded,
): Promise<void> {
  const middle = range.start + random.below(range.end - range.start);
  if (middle > range.start) await sink.write(range.start, bytes.subarray(range.start, middle));
  await sink.write(middle, bytes.subarray(middle, range.end));
}

/** Takes up what a cut left: nothing wrong is believed, nothing durable is lost, all ends right. */
async function judge(world: World, of: FileOfWorld, cut: Cut): Promise<string | undefined> {
  const { bytes, manifest } = of;
  const disk = diskOf(world, of, cut, () => {});
  const { partial, verified, missing } = await open(world, of, disk);
  for (let piece = 0; piece < manifest.pieceCount; piece++) {
    if (!verified.has(piece)) continue;
    const { start, end } = bytesOf(manifest, { start: piece, end: piece + 1 });
    if (!bytes.subarray(start, end).equals(disk.partial.bytes.subarray(start, end))) {
      return `piece ${piece} is believed, and its bytes are not there`;
    }
  }
  for (const piece of cut.durable) {
    if (!verified.has(piece)) return `piece ${piece} was durable and is fetched again`;
  }
  for (const piece of missing) {
    const { start, end } = bytesOf(manifest, { start: piece, end: piece + 1 });
    await partial.sink.write(start, bytes.subarray(start, end));
  }
  const digest = await wholeDigest(partial.sink, manifest.size, { signal, onEvent: () => {} });
  return digest === manifest.digest ? undefined : "the file is wrong in the end";
}

function shuffled(pieces: readonly number[], random: Seeded): number[] {
  const left = [...pieces];
  return pieces.map(() => left.splice(random.below(left.length), 1)[0] ?? 0);
}
