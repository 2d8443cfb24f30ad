import assert from "node:assert/strict";
import { corruptAt, dyingAfter, paced } from "../support/broken-replica.js";
import { type Told, withPrefixDigest } from "../support/memory-prefix.js";
import { content, errorOf, honest, pieceBytes, SmallDownload } from "./small-download.js";

function following(world: SmallDownload, failing?: Error): Told {
  const told: Told = { reached: [], isDisposed: false };
  const bytesOf = () => world.store.partial ?? new Uint8Array();
  const wrap = world.wrap;
  world.wrap = (partial) => withPrefixDigest(wrap(partial), told, bytesOf, failing);
  return told;
}

/** A disk whose reads are counted. */
function countingReads(world: SmallDownload): () => number {
  let reads = 0;
  world.store.before = (operation) => {
    if (operation === "read") reads++;
  };
  return () => reads;
}

describe("a partial that is digested as it is filled", () => {
  it("is told what is in place from the beginning, in whole pieces, and is not read again", async () => {
    const world = new SmallDownload();
    const told = following(world);
    const reads = countingReads(world);
    const pair = [honest(), honest()].map((one) => paced(one, world.clock, { rate: 300_000 }));
    await world.get({ A: pair[0] ?? honest(), B: pair[1] ?? honest() });
    world.assertPublished();
    assert.ok(told.reached.length > 2, "it was told while bytes came");
    assert.deepEqual(
      told.reached,
      [...told.reached].sort((a, b) => a - b),
    );
    assert.ok(told.reached.every((bytes) => bytes === content.length || bytes % pieceBytes === 0));
    assert.equal(told.reached.at(-1), content.length);
    assert.equal(reads(), 0);
    assert.ok(told.isDisposed);
  });

  it("knows at once what an earlier run left", async () => {
    const world = new SmallDownload();
    await assert.rejects(world.get({ A: dyingAfter(honest(), 7) }), errorOf("OutOfReplicasError"));
    const told = following(world);
    const { resumedBytes } = await world.get({ A: honest() });
    assert.equal(told.reached[0], resumedBytes);
    world.assertPublished();
  });

  it("never hears of a piece that is wrong", async () => {
    const world = new SmallDownload();
    following(world);
    await world.get({ A: corruptAt(honest(), 3), B: honest() });
    world.assertPublished();
  });

  it("is read at the end when its thread fails", async () => {
    const world = new SmallDownload();
    following(world, new Error("no thread"));
    const reads = countingReads(world);
    await world.get({ A: honest() });
    world.assertPublished();
    assert.ok(reads() > 0);
  });

  it("is mended when the disk did not keep what was written", async () => {
    const world = new SmallDownload();
    const told = following(world);
    const { wrap } = world;
    let flips = 1;
    world.wrap = (partial) =>
      wrap({
        ...partial,
        sink: {
          ...partial.sink,
          async write(offset, bytes) {
            const written = Uint8Array.from(bytes);
            if (offset === 5 * pieceBytes && flips-- > 0) written[9] = (written[9] ?? 0) ^ 1;
            await partial.sink.write(offset, written);
          },
        },
      });
    await world.get({ A: honest() });
    world.assertPublished();
    assert.ok(told.isDisposed);
  });

  it("is let go when the download fails", async () => {
    const world = new SmallDownload();
    const told = following(world);
    const failed = world.get({ A: dyingAfter(honest(), 7) });
    await assert.rejects(failed, errorOf("OutOfReplicasError"));
    assert.ok(told.isDisposed);
  });
});
