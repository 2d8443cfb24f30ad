/**
 * Journals that something happened to: cut, with flipped bits, forged. Whatever they say, no piece
 * is believed that its bytes do not back.
 */

import { resume } from "../../src/download/resume.js";
import { encodeRecord, headerOf, identityOf, parseJournal } from "../../src/files/journal-file.js";
import { bytesOf, pieceIndex } from "../../src/schedule/pieces.js";
import { leafAt } from "../../src/trust/merkle.js";
import { madeUp } from "../support/made-up.js";
import { manifestOfBytes, memoryPartial, memoryStore } from "../support/memory-partial.js";
import { Seeded } from "../support/seeded.js";

const pieceBytes = 512;
const content = madeUp(pieceBytes * 7 + 100);
const manifest = manifestOfBytes(content, pieceBytes);
const identity = identityOf(manifest);
/** The pieces whose bytes are on the disk. */
const present: readonly number[] = [0, 2, 3, 6];
const signal = new AbortController().signal;

/** A journal of the pieces that are there. */
export const soundJournal: Buffer = Buffer.concat([
  headerOf(identity),
  ...present.map((piece) => recordOf(piece, leafAt(manifest.pieces, piece))),
]);

function recordOf(piece: number, digest: Uint8Array): Buffer {
  return encodeRecord({ piece: pieceIndex(piece), digest });
}

/** How many pieces are taken up with this journal. Throws when one of them is not there. */
export async function believed(journal: Buffer, hasDigests: boolean): Promise<number> {
  const parsed = parseJournal(journal, identity, manifest.pieceCount);
  const partial = Buffer.alloc(content.length);
  for (const piece of present) {
    const { start, end } = bytesOf(manifest, { start: piece, end: piece + 1 });
    content.copy(partial, start, start, end);
  }
  const store = memoryStore();
  store.partial = partial;
  const opened = await memoryPartial(store, manifest);
  const claimed = parsed.kind === "known" ? parsed.records : undefined;
  const taken = { ...opened, journal: { ...opened.journal, claimed } };
  const digests = hasDigests ? manifest.pieces : undefined;
  const { verified } = await resume(taken, manifest, { digests, signal });
  for (let piece = 0; piece < manifest.pieceCount; piece++) {
    if (!verified.has(piece) || present.includes(piece)) continue;
    throw new Error(`piece ${piece} is believed, and its bytes are not there`);
  }
  return verified.count;
}

/** A journal with damage from a seed: cut, flipped, moved, or with records that lie, CRC right. */
export function damaged(seed: number): Buffer {
  const random = new Seeded(seed);
  let journal = Buffer.from(soundJournal);
  for (let times = 1 + random.below(4); times > 0; times--) {
    const at = random.below(journal.length + 1);
    const kind = random.below(5);
    if (kind === 0) journal = journal.subarray(0, at);
    if (kind === 1 && at < journal.length) journal[at] = random.below(256);
    if (kind === 2) journal = Buffer.concat([journal.subarray(0, at), journal.subarray(at + 40)]);
    if (kind === 3) journal = Buffer.concat([journal, journal.subarray(at)]);
    if (kind === 4) {
      const piece = random.below(2 * manifest.pieceCount);
      const of = leafAt(manifest.pieces, random.below(manifest.pieceCount));
      journal = Buffer.concat([journal, recordOf(piece, of)]);
    }
    journal = Buffer.from(journal);
  }
  return journal;
}
