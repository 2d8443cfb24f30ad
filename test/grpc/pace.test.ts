import assert from "node:assert/strict";
import { Pace } from "../../src/grpc/pace.js";
import { limits } from "../../src/limits.js";

const MiB = 1024 * 1024;

/** Paces of readers who came one after the other while the server had more or less to do. */
function unequal(count: number): Pace[] {
  return Array.from({ length: count }, (_, reader) => {
    const pace = new Pace();
    for (let chunk = 0; chunk < reader % 6; chunk++) pace.took(0);
    return pace;
  });
}

const sizesOf = (paces: readonly Pace[]) => paces.map(({ bytes }) => bytes);

describe("the chunks of a read", () => {
  it("begin small, double while they are taken quickly, and shrink when they are not", () => {
    const pace = new Pace();
    const sizes = [pace.bytes];
    for (const ms of [1, 1, 1, 1, 1, 1, 2000, 2000]) {
      pace.took(ms);
      sizes.push(pace.bytes);
    }
    assert.deepEqual(
      sizes.map((bytes) => bytes / 1024),
      [16, 32, 64, 128, 256, 512, 512, 256, 128],
    );
  });

  it("never become smaller than the floor", () => {
    const pace = new Pace();
    for (let chunk = 0; chunk < 20; chunk++) pace.took(60_000);
    assert.equal(pace.bytes, limits.chunkFloorBytes);
  });

  for (const rate of [20, 50, 100, 200, 1000]) {
    it(`of 100 readers of a server that sends ${rate} MiB/s in turn become equal`, () => {
      const paces = unequal(100);
      assert.ok(Math.max(...sizesOf(paces)) > 8 * Math.min(...sizesOf(paces)));
      for (let round = 0; round < 60; round++) {
        const bytes = sizesOf(paces).reduce((sum, size) => sum + size, 0);
        for (const pace of paces) pace.took((bytes / (rate * MiB)) * 1000);
      }
      const sizes = sizesOf(paces);
      assert.ok(Math.max(...sizes) < 1.3 * Math.min(...sizes), sizes.join(" "));
    });
  }
});
