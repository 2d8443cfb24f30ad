import assert from "node:assert/strict";
import type { DownloadEvent } from "../../src/download/progress.js";
import { wholeDigest } from "../../src/download/whole-digest.js";
import { limits } from "../../src/limits.js";
import { digestOf } from "../../src/trust/digest.js";
import { altered, corruptAt, dyingAfter } from "../support/broken-replica.js";
import { madeUp } from "../support/made-up.js";
import { memoryPartial, memoryStore } from "../support/memory-partial.js";
import { manifestOfBytes } from "../support/memory-replica.js";
import { content, errorOf, honest, lineOf, pieceBytes, SmallDownload } from "./small-download.js";

async function sinkOf(bytes: Uint8Array) {
  const store = memoryStore();
  store.partial = bytes;
  return (await memoryPartial(store, manifestOfBytes(bytes))).sink;
}

const { signal } = new AbortController();

describe("the whole digest", () => {
  for (const size of [0, 1, limits.hashReadBytes, limits.hashReadBytes + 1]) {
    it(`of ${size} bytes is what they are`, async () => {
      const bytes = madeUp(size);
      const digest = await wholeDigest(await sinkOf(bytes), size, { signal, onEvent: () => {} });
      assert.equal(digest, digestOf(bytes));
    });
  }

  it("of a sink that ends early is that of what is there", async () => {
    const sink = await sinkOf(content.subarray(0, 1000));
    const digest = await wholeDigest(sink, content.length, { signal, onEvent: () => {} });
    assert.equal(digest, digestOf(content.subarray(0, 1000)));
  });

  it("tells how far it is", async () => {
    const events: DownloadEvent[] = [];
    const bytes = madeUp(limits.hashReadBytes + 5);
    const onEvent = (event: DownloadEvent) => events.push(event);
    await wholeDigest(await sinkOf(bytes), bytes.length, { signal, onEvent });
    const done = events.map((event) => (event.event === "verifying" ? event.doneBytes : 0));
    assert.deepEqual(done, [limits.hashReadBytes, bytes.length]);
  });

  it("ends with an abort", async () => {
    const reason = new Error("enough");
    const asked = { signal: AbortSignal.abort(reason), onEvent: () => {} };
    const digest = wholeDigest(await sinkOf(content), content.length, asked);
    await assert.rejects(digest, (error) => error === reason);
  });
});

/** A disk that flips a byte of piece 5 after it was written, so many times. */
function flipping(world: SmallDownload, times: number): void {
  let left = times;
  world.wrap = (partial) => ({
    ...partial,
    sink: {
      ...partial.sink,
      async write(offset, bytes) {
        const written = Uint8Array.from(bytes);
        if (offset === 5 * pieceBytes && left-- > 0) written[9] = (written[9] ?? 0) ^ 1;
        await partial.sink.write(offset, written);
      },
    },
  });
}

describe("a disk that does not keep what was written", () => {
  it("once is mended: the piece is fetched again", async () => {
    const world = new SmallDownload();
    flipping(world, 1);
    const receipt = await world.get({ A: honest(), B: honest() });
    world.assertPublished();
    assert.ok(receipt.replicas.every(({ standing }) => standing === "good"));
  });

  it("again and again is an integrity error: nothing is published, and a rerun works", async () => {
    const world = new SmallDownload();
    flipping(world, 2);
    const expected = errorOf("IntegrityError", /nothing was published/);
    await assert.rejects(world.get({ A: honest(), B: honest() }), expected);
    world.assertUnpublished();
    await world.get({ A: honest(), B: honest() });
    world.assertPublished();
  });

  it("and whose replicas are gone when it should be mended: out of replicas", async () => {
    const world = new SmallDownload();
    flipping(world, 1);
    const A = dyingAfter(honest(), 20);
    await assert.rejects(world.get({ A }), errorOf("OutOfReplicasError"));
    world.assertUnpublished();
    assert.equal(world.store.journal?.records.length, 19, "what is damaged is disowned");
    await world.get({ A: honest() });
    world.assertPublished();
  });

  it("who was banned is not asked again to mend it", async () => {
    const world = new SmallDownload();
    flipping(world, 1);
    const bad = corruptAt(honest(), 0);
    let asked = 0;
    const A = altered(bad, {
      read(request, call) {
        if (world.events.some(({ event }) => event === "banned")) asked++;
        return bad.read(request, call);
      },
    });
    const receipt = await world.get({ A, B: honest() });
    world.assertPublished();
    assert.equal(lineOf(receipt, "A").standing, "banned");
    assert.equal(asked, 0);
  });

  it("the receipt counts what was fetched to mend it", async () => {
    const world = new SmallDownload();
    flipping(world, 1);
    const receipt = await world.get({ A: honest() });
    const { deliveredBytes, wastedBytes } = lineOf(receipt, "A");
    assert.deepEqual([deliveredBytes, wastedBytes], [content.length, pieceBytes]);
  });
});
