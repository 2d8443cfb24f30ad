/** What every journal keeps to. */

import assert from "node:assert/strict";
import type { Journal, JournalRecord } from "../../src/ports.js";
import { pieceIndex } from "../../src/schedule/pieces.js";
import type { Manifest } from "../../src/trust/manifest.js";
import { leafAt } from "../../src/trust/merkle.js";
import { manifestOfBytes } from "../support/memory-partial.js";

/** Opens the journal of one place; each call but the first takes up what the one before left. */
export type OpenJournal = (
  manifest: Manifest,
) => Promise<{ readonly journal: Journal } & AsyncDisposable>;

const manifest = manifestOfBytes(Buffer.alloc(10_000, "quorate"), 1000);
const another = manifestOfBytes(Buffer.alloc(10_000, "another"), 1000);

/** Registers the contract; `open` makes a new, empty place each time. */
export function journalContract(title: string, open: () => Promise<OpenJournal>): void {
  describe(`${title} as a journal`, () => {
    it("claims nothing when it is new", async () => {
      await using opened = await (await open())(manifest);
      assert.equal(opened.journal.claimed, undefined);
    });

    it("gives the records of all appends, in order, to the next run", async () => {
      const openAgain = await open();
      await appendTo(openAgain, [[3, 1], [9]]);
      assert.deepEqual(await claimedBy(openAgain), [3, 1, 9].map(record));
    });

    it("adds to what earlier runs left", async () => {
      const openAgain = await open();
      await appendTo(openAgain, [[0]]);
      await appendTo(openAgain, [[1], [2]]);
      assert.deepEqual(await claimedBy(openAgain), [0, 1, 2].map(record));
    });

    it("is known, though empty, when a run appended nothing", async () => {
      const openAgain = await open();
      await appendTo(openAgain, [[]]);
      assert.deepEqual(await claimedBy(openAgain), []);
    });

    it("claims nothing of another manifest, and begins anew with what is appended", async () => {
      const openAgain = await open();
      await appendTo(openAgain, [[0, 1]]);
      {
        await using opened = await openAgain(another);
        assert.equal(opened.journal.claimed, undefined);
        await opened.journal.append([record(0)]);
      }
      assert.equal(await claimedBy(openAgain, manifest), undefined);
    });

    it("is done with the caller's digests once an append resolves", async () => {
      const openAgain = await open();
      {
        await using opened = await openAgain(manifest);
        const mine = record(4);
        await opened.journal.append([mine]);
        mine.digest.fill(0);
      }
      assert.deepEqual(await claimedBy(openAgain), [record(4)]);
    });
  });
}

/** The true record of a piece, with a digest of its own. */
function record(piece: number): JournalRecord {
  return { piece: pieceIndex(piece), digest: Uint8Array.from(leafAt(manifest.pieces, piece)) };
}

async function appendTo(open: OpenJournal, appends: readonly (readonly number[])[]) {
  await using opened = await open(manifest);
  for (const pieces of appends) await opened.journal.append(pieces.map(record));
}

async function claimedBy(open: OpenJournal, of: Manifest = manifest) {
  await using opened = await open(of);
  return opened.journal.claimed;
}
