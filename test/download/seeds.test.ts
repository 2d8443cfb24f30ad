import assert from "node:assert/strict";
import type { DownloadEvent } from "../../src/download/progress.js";
import { StorageError } from "../../src/errors.js";
import { limits } from "../../src/limits.js";
import type { Receipt } from "../../src/receipt/receipt.js";
import { withoutPieces } from "../support/broken-replica.js";
import { madeUp } from "../support/made-up.js";
import { memorySeed } from "../support/memory-seed.js";
import { content, errorOf, honest, pieceBytes, SmallDownload } from "./small-download.js";

/** The content with one byte of each of these pieces changed. */
function changedIn(...pieces: readonly number[]): Buffer {
  const bytes = Buffer.from(content);
  for (const piece of pieces) bytes[piece * pieceBytes] = (bytes[piece * pieceBytes] ?? 0) ^ 1;
  return bytes;
}

const delivered = ({ replicas }: Receipt) =>
  replicas.reduce((sum, { deliveredBytes }) => sum + deliveredBytes, 0);

const of = <Name extends DownloadEvent["event"]>(world: SmallDownload, name: Name) =>
  world.events.filter((event): event is Extract<DownloadEvent, { event: Name }> => {
    return event.event === name;
  });

describe("an old copy", () => {
  it("gives what is equal, and only the rest is fetched", async () => {
    const world = new SmallDownload();
    world.seeds = [memorySeed(changedIn(3, 4, 11))];
    const receipt = await world.get({ A: honest(), B: honest() });
    world.assertPublished();
    assert.equal(delivered(receipt), 3 * pieceBytes);
    assert.equal(receipt.seededBytes, content.length - 3 * pieceBytes);
    const bytes = receipt.seededBytes;
    assert.deepEqual(of(world, "seeded"), [{ event: "seeded", path: "old", bytes }]);
  });

  it("that is equal altogether leaves nothing to fetch", async () => {
    const world = new SmallDownload();
    world.seeds = [memorySeed(content)];
    const receipt = await world.get({ A: honest() });
    world.assertPublished();
    assert.deepEqual([delivered(receipt), receipt.seededBytes], [0, content.length]);
  });

  it("may be shorter or longer; what is moved is not equal", async () => {
    const longer = Buffer.concat([content, madeUp(99)]);
    const moved = Buffer.concat([Buffer.alloc(1), content]);
    const cases = [
      [content.subarray(0, 5 * pieceBytes + 77), 5 * pieceBytes],
      [longer, content.length],
      [moved, 0],
      [Buffer.alloc(0), 0],
    ] as const;
    for (const [bytes, expected] of cases) {
      const world = new SmallDownload();
      world.seeds = [memorySeed(bytes)];
      const { seededBytes } = await world.get({ A: honest() });
      world.assertPublished();
      assert.equal(seededBytes, expected);
    }
  });

  it("that lacks pieces leaves them to the next one, which is read for no others", async () => {
    const world = new SmallDownload();
    const offsets: number[] = [];
    const second = memorySeed(content, "second", (offset) => offsets.push(offset / pieceBytes));
    const third = memorySeed(content, "third", () => assert.fail("there is nothing left to take"));
    world.seeds = [memorySeed(changedIn(0, 19), "first"), second, third];
    const receipt = await world.get({ A: honest() });
    world.assertPublished();
    assert.deepEqual(offsets, [0, 19]);
    assert.equal(delivered(receipt), 0);
  });

  it("is not read for what an earlier run left", async () => {
    const world = new SmallDownload();
    world.store.partial = content.subarray(0, 18 * pieceBytes);
    const offsets: number[] = [];
    world.seeds = [memorySeed(content, "old", (offset) => offsets.push(offset / pieceBytes))];
    const { resumedBytes, seededBytes } = await world.get({ A: honest() });
    assert.deepEqual(offsets, [18, 19]);
    assert.deepEqual([resumedBytes, seededBytes], [18 * pieceBytes, content.length - resumedBytes]);
  });

  it("that changes while it is read cannot hurt", async () => {
    const bytes = Buffer.from(content);
    const world = new SmallDownload();
    world.seeds = [memorySeed(bytes, "old", (offset) => bytes.fill(7, offset + pieceBytes))];
    const { seededBytes } = await world.get({ A: honest() });
    world.assertPublished();
    assert.equal(seededBytes, pieceBytes);
  });

  it("without pieces to compare it by is not read, and that is said once", async () => {
    const world = new SmallDownload();
    const unread = () => assert.fail("it is read");
    world.seeds = [memorySeed(content, "old", unread), memorySeed(content, "older", unread)];
    const { seededBytes } = await world.get({ A: withoutPieces(honest()) });
    world.assertPublished();
    assert.equal(seededBytes, 0);
    const why = "no replica gives pieces to compare it by";
    assert.deepEqual(of(world, "seed-skipped"), [
      { event: "seed-skipped", paths: ["old", "older"], why },
    ]);
  });
});

describe("an old copy on a bad disk", () => {
  it("gives the pieces that can be read", async () => {
    const world = new SmallDownload();
    const bad = (offset: number) => {
      if (offset === 7 * pieceBytes) throw new StorageError("read old: the disk failed (EIO)");
    };
    world.seeds = [memorySeed(content, "old", bad)];
    const receipt = await world.get({ A: honest() });
    world.assertPublished();
    assert.equal(delivered(receipt), pieceBytes);
  });

  it("is left out after a few that cannot, and all is fetched", async () => {
    const world = new SmallDownload();
    let reads = 0;
    const bad = () => {
      reads++;
      throw new StorageError("read old: the disk failed (EIO)");
    };
    world.seeds = [memorySeed(content, "old", bad)];
    await world.get({ A: honest() });
    world.assertPublished();
    assert.equal(reads, limits.seedRefusals);
    assert.match(of(world, "seed-skipped")[0]?.why ?? "", /EIO/);
  });
});

describe("taking from an old copy", () => {
  it("can be aborted; what was taken is in the journal and is not read again", async () => {
    const world = new SmallDownload();
    const abort = new AbortController();
    const stop = (offset: number) => {
      if (offset === 9 * pieceBytes) abort.abort(new Error("enough"));
    };
    world.seeds = [memorySeed(content, "old", stop)];
    const first = world.get({ A: honest() }, { signal: abort.signal });
    await assert.rejects(first, errorOf("Error", /enough/));
    world.assertUnpublished();
    assert.equal(world.store.journal?.records.length, 10);
    const offsets: number[] = [];
    world.seeds = [memorySeed(content, "old", (offset) => offsets.push(offset / pieceBytes))];
    await world.get({ A: honest() });
    world.assertPublished();
    assert.equal(offsets[0], 10);
  });

  it("tells how far it is, once an interval", async () => {
    const world = new SmallDownload();
    const slow = () => world.clock.jump(400);
    world.seeds = [memorySeed(content, "old", slow)];
    await world.get({ A: honest() });
    const told = of(world, "seeding").map(({ doneBytes }) => doneBytes / pieceBytes);
    assert.deepEqual(told.slice(0, 3), [3, 6, 9]);
  });

  it("onto a disk that is full ends the download, to be resumed", async () => {
    const world = new SmallDownload();
    let writes = 0;
    world.store.before = (operation) => {
      if (operation === "write" && ++writes === 6) throw new StorageError("the disk is full");
    };
    world.seeds = [memorySeed(content)];
    await assert.rejects(world.get({ A: honest() }), errorOf("StorageError", /full/));
    world.assertUnpublished();
    assert.equal(world.store.journal?.records.length, 5);
  });
});
