/** Whole downloads in which one replica that is slow, or far, once kept everybody waiting. */

import assert from "node:assert/strict";
import { idealSeconds } from "../../bench/ideal.js";
import { randomWorld } from "../../bench/random-worlds.js";
import { runQuorate } from "../../bench/run-quorate.js";
import { scheduleWorlds } from "../../bench/schedule-worlds.js";
import { steady } from "./shapes.js";

describe("in company", function () {
  this.timeout(60_000);

  // The slow one held the second copy of a piece, and nobody fetched a third: x1.19 and x1.16.
  // A far one asked for more than could be done before the end, and a cut of it held all of it up:
  // x1.06.
  for (const seed of [835, 104, 344]) {
    it(`a slow replica more costs 2 % at most: seed ${seed}`, async () => {
      const world = randomWorld(seed, 256);
      const replicas = [...world.replicas, { rateAt: steady(0.1), latencyMs: 5 }];
      const alone = await runQuorate(world);
      const beside = await runQuorate({ ...world, replicas });
      const times = beside.seconds / alone.seconds;
      assert.ok(times <= 1.02, `x${times.toFixed(3)}`);
    });
  }

  // What a cut freed went to the one that asked first: of 128 pieces it had one too many, or, where
  // the fifth was a good one, ten: x1.028, x1.154.
  for (const [megabytes, most] of [
    [0, 1.001],
    [0.1, 1.001],
    [1, 1.001],
    [20, 0.95],
  ] as const) {
    it(`8 MiB with one more of ${megabytes} MB/s take x${most} at most`, async () => {
      const small = scheduleWorlds.find(({ name }) => name === "small");
      assert.ok(small !== undefined);
      const replicas = [...small.replicas, { rateAt: steady(megabytes), latencyMs: 5 }];
      const alone = await runQuorate(small);
      const beside = await runQuorate({ ...small, replicas });
      const times = beside.seconds / alone.seconds;
      assert.ok(times <= most, `x${times.toFixed(3)}`);
    });
  }

  // One after the other cut what was left of a slow one, and the first to do so ended last: 69, 61
  // and 68 %.
  for (const [seed, least] of [
    [629, 90],
    [585, 80],
    [490, 85],
  ] as const) {
    it(`what a cut frees is for all: ${least} % of the ideal, seed ${seed}`, async () => {
      const world = randomWorld(seed);
      const { seconds } = await runQuorate(world);
      const share = (100 * idealSeconds(world.size, world.replicas)) / seconds;
      assert.ok(share >= least, `${share.toFixed(1)} %`);
    });
  }

  it("who is busy for less than the way takes no part that comes too late: seed 69", async () => {
    const world = randomWorld(69, 256);
    const { seconds } = await runQuorate(world);
    const share = (100 * idealSeconds(world.size, world.replicas)) / seconds;
    assert.ok(share >= 98, `${share.toFixed(1)} %`);
  });

  // Its tail was left to near ones that were busy, or far ones had no lease to spare: 86.0 %.
  it("far ones take over from one that falls dark just before the end: seed 370", async () => {
    const world = randomWorld(370, 256);
    const shares: number[] = [];
    // One distance alone may be chance.
    for (let index = 0; index <= 8; index++) {
      const replicas = world.replicas.map((one) => {
        return { ...one, latencyMs: one.latencyMs + 0.1 * index };
      });
      const { seconds } = await runQuorate({ ...world, replicas });
      shares.push((100 * idealSeconds(world.size, replicas)) / seconds);
    }
    const mean = shares.reduce((sum, share) => sum + share, 0) / shares.length;
    assert.ok(mean >= 89.5, `${mean.toFixed(1)} %`);
  });

  // Pieces went to far replicas that had sent nothing yet, while near ones were idle: 12, 18, 26 %.
  for (const [seed, least] of [
    [668, 90],
    [105, 55],
    [530, 65],
  ] as const) {
    it(`the far do not keep a small file waiting: ${least} % of the ideal, seed ${seed}`, async () => {
      const world = randomWorld(seed);
      const { seconds } = await runQuorate(world);
      const share = (100 * idealSeconds(world.size, world.replicas)) / seconds;
      assert.ok(share >= least, `${share.toFixed(1)} %`);
    });
  }
});
