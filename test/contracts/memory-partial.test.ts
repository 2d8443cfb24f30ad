import assert from "node:assert/strict";
import { StorageError } from "../../src/errors.js";
import type { Manifest } from "../../src/trust/manifest.js";
import { manifestOfBytes, memoryPartial, memoryStore } from "../support/memory-partial.js";
import { journalContract } from "./journal.js";
import { sinkContract } from "./sink.js";

const bytes = Buffer.alloc(1000, "quorate");
const manifest = manifestOfBytes(bytes);

describe("a partial in memory", () => {
  sinkContract("it", open);
  journalContract("it", open);

  it("publishes what was written, and forgets the rest", async () => {
    const store = memoryStore();
    await using partial = await memoryPartial(store, manifest);
    await partial.sink.write(0, bytes);
    await partial.publish();
    assert.deepEqual(store.published, Uint8Array.from(bytes));
    assert.deepEqual([store.partial, store.journal], [undefined, undefined]);
  });

  it("says how much an earlier run may have left", async () => {
    const store = memoryStore();
    {
      await using first = await memoryPartial(store, manifest);
      assert.equal(first.leftoverBytes, 0);
    }
    await using second = await memoryPartial(store, manifestOfBytes(bytes.subarray(0, 400)));
    assert.equal(second.leftoverBytes, 400);
  });

  it("is refused to a second client, and to all once it is published", async () => {
    const store = memoryStore();
    {
      await using first = await memoryPartial(store, manifest);
      await assert.rejects(memoryPartial(store, manifest), StorageError);
      await first.publish();
    }
    await assert.rejects(memoryPartial(store, manifest), StorageError);
  });

  it("keeps nothing when it is discarded", async () => {
    const store = memoryStore();
    {
      await using first = await memoryPartial(store, manifest);
      await first.discard();
    }
    await using second = await memoryPartial(store, manifest);
    assert.deepEqual([second.leftoverBytes, second.journal.claimed], [0, undefined]);
  });

  it("fails where the test wants it to", async () => {
    const store = memoryStore((operation) => {
      if (operation === "sync") throw new StorageError("the disk failed");
    });
    await using partial = await memoryPartial(store, manifest);
    await partial.sink.write(0, bytes);
    await assert.rejects(partial.sink.sync(), StorageError);
  });
});

async function open() {
  const store = memoryStore();
  return (of: Manifest) => memoryPartial(store, of);
}
