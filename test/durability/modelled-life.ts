/**
 * Lives of one download on a modelled disk: each takes up what the end of the one before left, a
 * power cut or its own death, and goes on. Every state that an end might leave is judged.
 */

import { wholeDigest } from "../../src/download/whole-digest.js";
import { StorageError } from "../../src/errors.js";
import { bytesOf } from "../../src/schedule/pieces.js";
import { type Book, type Disk, getAll, type Open, open } from "./modelled-client.js";
import { ModelledFile } from "./modelled-disk.js";
import { type FileOfWorld, type ModelledWorld, type World, worldOf } from "./modelled-world.js";

/** What an end left, and what must still be there. */
interface Left extends Disk {
  readonly how: "killed" | "power cut";
  /** After a power cut the pieces whose checkpoint was over; else all that were journaled. */
  readonly kept: ReadonlySet<number>;
}

/** Runs a world; gives how many states were judged, and what was wrong with the first bad one. */
export async function runModelledWorld(options: ModelledWorld) {
  const world = worldOf(options);
  const { random } = world;
  let states = 0;
  let of = world.files[0];
  let left: Left = {
    how: "power cut",
    partial: fileOf(world, Buffer.alloc(of.manifest.size), "partial"),
    journal: fileOf(world, Buffer.alloc(0), "journal"),
    kept: new Set(),
  };
  for (let life = 0; life < 3; life++) {
    const ends = await live(world, of, left, life === 0);
    for (const end of ends) {
      states++;
      const wrong = await judge(world, of, end);
      if (wrong === undefined) continue;
      return { states, wrong: `seed ${options.seed}, life ${life}, ${end.how}: ${wrong}` };
    }
    left = random.pick(ends) ?? left;
    // Both at once is not promised: a scan takes what can be read for what is there.
    const mayChange = !world.refuses || left.how === "power cut";
    // The file changed on the servers: the partial is of another identity now.
    if (random.below(4) === 0 && of !== world.files[1] && mayChange) {
      of = world.files[1];
      left = { ...left, kept: new Set() };
    }
  }
  return { states, wrong: undefined };
}

function fileOf(
  { sectorBytes, options }: World,
  bytes: Buffer,
  name: "partial" | "journal",
  onOperation = () => {},
): ModelledFile {
  const syncs = name === "journal" || options.plant !== "no-sync";
  return new ModelledFile({ bytes, sectorBytes, syncs, onOperation });
}

/** Opens what is there, resumes and goes on; gives what ends at its steps would have left. */
async function live(world: World, of: FileOfWorld, left: Left, isFresh: boolean): Promise<Left[]> {
  const { random } = world;
  const ends: Left[] = [];
  const book: Book = { durable: new Set(), journaled: new Set(), isRefused: false };
  if (left.how === "power cut") for (const piece of left.kept) book.durable.add(piece);
  for (const piece of left.kept) book.journaled.add(piece);
  const disk = opened(left, () => {
    if (world.refuses && random.below(40) === 0) disk.partial.refuse(random);
    const chance = random.below(9);
    if (chance < 3) ends.push(cut(world, disk, book));
    // From the moment that a sync failed until the journal knows, our end must not come.
    if (chance > 6 && !disk.partial.hasRefused) ends.push(killed(disk, book));
  });
  try {
    await getAll(world, of, await open(world, of, disk, { book, isFresh }));
  } catch (error) {
    if (!(error instanceof StorageError)) throw error;
    ends.push(killed(disk, book));
  }
  return ends;
}

function opened({ partial, journal }: Disk, onOperation: () => void): Disk {
  return { partial: partial.copy(onOperation), journal: journal.copy(onOperation) };
}

function cut(world: World, { partial, journal }: Disk, { durable }: Book): Left {
  const { random } = world;
  return {
    how: "power cut",
    partial: fileOf(world, partial.crashed(random), "partial"),
    journal: fileOf(world, journal.crashed(random), "journal"),
    kept: new Set(durable),
  };
}

function killed(disk: Disk, { journaled }: Book): Left {
  return { how: "killed", ...opened(disk, () => {}), kept: new Set(journaled) };
}

/**
 * Takes up what an end left: nothing wrong is believed, nothing that was safe is lost, and in the
 * end all is right, on the disk, too.
 */
async function judge(world: World, of: FileOfWorld, left: Left): Promise<string | undefined> {
  const disk = opened(left, () => {});
  const book = { durable: new Set<number>(), journaled: new Set<number>(), isRefused: false };
  let taken: Open;
  let kept = left.kept;
  try {
    taken = await open(world, of, disk, { book });
  } catch (error) {
    if (!(error instanceof StorageError)) throw error;
    // What was refused was told now, once. What is right in memory may be lost.
    kept = new Set();
    taken = await open(world, of, disk, { book });
  }
  const { partial, resumed, missing } = taken;
  const isThere = (piece: number, bytes: Buffer) => {
    const { start, end } = bytesOf(of.manifest, { start: piece, end: piece + 1 });
    return of.bytes.subarray(start, end).equals(bytes.subarray(start, end));
  };
  for (let piece = 0; piece < of.manifest.pieceCount; piece++) {
    if (!resumed.verified.has(piece) || isThere(piece, disk.partial.bytes)) continue;
    return `piece ${piece} is believed, and its bytes are not there`;
  }
  for (const piece of kept) {
    if (!resumed.verified.has(piece)) return `piece ${piece} was safe and is fetched again`;
  }
  return judgeEnd(world, of, { disk, partial, missing });
}

async function judgeEnd(
  { random }: World,
  { bytes, manifest }: FileOfWorld,
  last: Pick<Open, "partial" | "missing"> & { readonly disk: Disk },
): Promise<string | undefined> {
  const { disk, partial, missing } = last;
  for (const piece of missing) {
    const { start, end } = bytesOf(manifest, { start: piece, end: piece + 1 });
    await partial.sink.write(start, bytes.subarray(start, end));
  }
  const digest = await wholeDigest(partial.sink, manifest.size, {
    signal: new AbortController().signal,
    onEvent: () => {},
  });
  if (digest !== manifest.digest) return "the file is wrong in the end";
  try {
    await partial.sink.sync();
  } catch (error) {
    if (!(error instanceof StorageError)) throw error;
    return undefined;
  }
  return disk.partial.crashed(random).equals(bytes) ? undefined : "the file is wrong on the disk";
}
