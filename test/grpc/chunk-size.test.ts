import assert from "node:assert/strict";
import { ChunkSize } from "../../src/grpc/chunk-size.js";
import { limits } from "../../src/limits.js";

const MiB = 1024 * 1024;

/** Chunk sizes of readers who came one after the other while the server had more or less to do. */
function unequal(count: number): ChunkSize[] {
  return Array.from({ length: count }, (_, reader) => {
    const chunkSize = new ChunkSize();
    for (let chunk = 0; chunk < reader % 6; chunk++) chunkSize.took(0);
    return chunkSize;
  });
}

const sizesOf = (readers: readonly ChunkSize[]) => readers.map(({ bytes }) => bytes);

describe("the chunks of a read", () => {
  it("begin small, double while they are taken quickly, and shrink when they are not", () => {
    const chunkSize = new ChunkSize();
    const sizes = [chunkSize.bytes];
    for (const ms of [1, 1, 1, 1, 1, 1, 2000, 2000]) {
      chunkSize.took(ms);
      sizes.push(chunkSize.bytes);
    }
    assert.deepEqual(
      sizes.map((bytes) => bytes / 1024),
      [16, 32, 64, 128, 256, 512, 512, 256, 128],
    );
  });

  it("never become smaller than the floor", () => {
    const chunkSize = new ChunkSize();
    for (let chunk = 0; chunk < 20; chunk++) chunkSize.took(60_000);
    assert.equal(chunkSize.bytes, limits.chunkFloorBytes);
  });

  for (const rate of [20, 50, 100, 200, 1000]) {
    it(`of 100 readers of a server that sends ${rate} MiB/s in turn become equal`, () => {
      const readers = unequal(100);
      assert.ok(Math.max(...sizesOf(readers)) > 8 * Math.min(...sizesOf(readers)));
      for (let round = 0; round < 60; round++) {
        const bytes = sizesOf(readers).reduce((sum, size) => sum + size, 0);
        for (const reader of readers) reader.took((bytes / (rate * MiB)) * 1000);
      }
      const sizes = sizesOf(readers);
      assert.ok(Math.max(...sizes) < 1.3 * Math.min(...sizes), sizes.join(" "));
    });
  }
});
