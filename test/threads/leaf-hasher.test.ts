import assert from "node:assert/strict";
import { readdir } from "node:fs/promises";
import { limits } from "../../src/limits.js";
import { leafHasher, leafThreads, startLeafHasher } from "../../src/threads/leaf-hasher.js";
import { digestBytes } from "../../src/trust/digest.js";
import { leafAt, leafCount, leafDigest } from "../../src/trust/merkle.js";
import { madeUp } from "../support/made-up.js";

const pieceBytes = 65_536;
/** Files with a thread each: whatever else Node has, these come and go with workers. */
const threads = async () => (await readdir("/proc/self/task")).length;

describe("leafHasher", function () {
  // Threads that run TypeScript take seconds to start on a busy machine.
  this.timeout(120_000);

  it("says what each of many stretches is, in whatever order they are done", async () => {
    await using hasher = leafHasher(2);
    const lengths = [
      1,
      pieceBytes - 1,
      pieceBytes,
      pieceBytes + 1,
      5 * pieceBytes,
      16 * pieceBytes,
    ];
    const asked = [...lengths, ...lengths].map(async (length, index) => {
      const content = hasher.memory(length);
      content.set(madeUp(length).map((byte) => byte ^ index));
      return { content, leaves: await hasher.leaves(content, pieceBytes) };
    });
    for (const { content, leaves } of await Promise.all(asked)) {
      assert.equal(leaves.length, Math.ceil(content.length / pieceBytes) * digestBytes);
      for (let piece = 0; piece < leafCount(leaves); piece++) {
        const bytes = content.subarray(piece * pieceBytes, (piece + 1) * pieceBytes);
        assert.deepEqual(Buffer.from(leafAt(leaves, piece)), Buffer.from(leafDigest(bytes)));
      }
    }
  });

  it("answers what it was asked when it ends, and ends its threads", async () => {
    const before = await threads();
    const hasher = leafHasher(2);
    const content = hasher.memory(3 * pieceBytes);
    // Its threads have not even started to run.
    const asked = Array.from({ length: 5 }, () => hasher.leaves(content, pieceBytes));
    await hasher[Symbol.asyncDispose]();
    for (const leaves of await Promise.all(asked)) {
      const zeros = leafDigest(new Uint8Array(pieceBytes));
      assert.deepEqual(Buffer.from(leafAt(leaves, 2)), Buffer.from(zeros));
    }
    assert.ok((await threads()) <= before);
    const late = await hasher.leaves(content, pieceBytes);
    assert.equal(leafCount(late), 3);
  });
});

describe("startLeafHasher", () => {
  it("leaves a core to the thread that receives, and one to the whole digest", () => {
    assert.deepEqual([1, 2, 3, 4, 16].map(leafThreads), [0, 0, 1, 2, 2]);
  });

  it("starts nothing for a small file, or for no threads", () => {
    const size = limits.leafHasherBytes;
    assert.equal(startLeafHasher({ size: size - 1, threads: 2 }), undefined);
    assert.equal(startLeafHasher({ size, threads: 0 }), undefined);
  });
});
