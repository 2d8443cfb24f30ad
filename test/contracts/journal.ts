/** What every journal keeps to. */

import assert from "node:assert/strict";
import { StorageError } from "../../src/errors.js";
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

    it("claims a piece no more once it is disowned, until it is appended again", async () => {
      const openAgain = await open();
      await appendTo(openAgain, [[0, 1], [2]]);
      {
        await using opened = await openAgain(manifest);
        await opened.journal.disown([pieceIndex(2), pieceIndex(0)]);
        await opened.journal.append([record(2)]);
      }
      assert.deepEqual(await claimedBy(openAgain), [1, 2].map(record));
    });

    it("claims no disowned piece again because a record of its new bytes is taken back", async () => {
      const openAgain = await open();
      await appendTo(openAgain, [[0, 1, 2]]);
      {
        await using opened = await openAgain(manifest);
        const { journal } = opened;
        await journal.sync(async () => {});
        await journal.disown([pieceIndex(1)]);
        await journal.append([record(1)]);
        await assert.rejects(journal.sync(refused), isRefusal);
      }
      assert.deepEqual(await claimedBy(openAgain), [0, 2].map(record));
    });

    it("goes on claiming what was disowned, appended again and synced", async () => {
      const openAgain = await open();
      await appendTo(openAgain, [[0]]);
      {
        await using opened = await openAgain(manifest);
        const { journal } = opened;
        await journal.disown([pieceIndex(0)]);
        await journal.append([record(0)]);
        await journal.sync(async () => {});
        await assert.rejects(journal.sync(refused), isRefusal);
      }
      assert.deepEqual(await claimedBy(openAgain), [record(0)]);
    });

    it("syncs the bytes by the caller's means, once", async () => {
      await using opened = await (await open())(manifest);
      await opened.journal.append([record(0)]);
      let syncs = 0;
      await opened.journal.sync(async () => void syncs++);
      assert.equal(syncs, 1);
    });

    it("takes back all that it could not vouch for, and takes no more", async () => {
      const openAgain = await open();
      {
        await using opened = await openAgain(manifest);
        const { journal } = opened;
        await journal.append([record(0), record(1)]);
        // What comes while the bytes are synced is not among them.
        await journal.sync(() => journal.append([record(2)]));
        await journal.append([record(3)]);
        await assert.rejects(journal.sync(refused), isRefusal);
        await assert.rejects(journal.append([record(4)]), isRefusal);
        await assert.rejects(
          journal.sync(async () => {}),
          isRefusal,
        );
      }
      assert.deepEqual(await claimedBy(openAgain), [0, 1].map(record));
    });

    it("takes back what is appended beside a last sync that fails", async () => {
      const openAgain = await open();
      {
        await using opened = await openAgain(manifest);
        const { journal } = opened;
        await journal.append([record(0)]);
        await journal.sync(async () => {});
        const appended = journal.append([record(1)]);
        await assert.rejects(journal.sync(refused, true), isRefusal);
        await appended;
      }
      assert.deepEqual(await claimedBy(openAgain), [record(0)]);
    });

    it("takes back what an earlier run left, when the first sync already fails", async () => {
      const openAgain = await open();
      await appendTo(openAgain, [[0], [1]]);
      {
        await using opened = await openAgain(manifest);
        await assert.rejects(opened.journal.sync(refused), isRefusal);
      }
      assert.deepEqual(await claimedBy(openAgain), []);
    });

    it("keeps what an earlier run left, once its bytes were synced", async () => {
      const openAgain = await open();
      await appendTo(openAgain, [[0]]);
      {
        await using opened = await openAgain(manifest);
        await opened.journal.sync(async () => {});
        await opened.journal.append([record(1)]);
        await assert.rejects(opened.journal.sync(refused), isRefusal);
      }
      assert.deepEqual(await claimedBy(openAgain), [record(0)]);
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

const refusal = new StorageError("sync the partial: the disk refuses");
const refused = () => Promise.reject(refusal);
const isRefusal = (error: unknown) => error === refusal;

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
