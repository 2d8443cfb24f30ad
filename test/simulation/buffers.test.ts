/** Whole downloads where much of what was asked for lies in buffers on the way. */

import assert from "node:assert/strict";
import { idealSeconds } from "../../bench/ideal.js";
import { runQuorate } from "../../bench/run-quorate.js";
import type { WorldReplica } from "../../bench/schedule-worlds.js";
import { limits } from "../../src/limits.js";
import { changing, steady, switching } from "./shapes.js";

const MiB = 1024 * 1024;
const near = { latencyMs: 5, bufferBytes: limits.windowBytes };

describe("buffers on the way", function () {
  this.timeout(60_000);

  const table: readonly (readonly [string, readonly WorldReplica[], share: number])[] = [
    [
      "of four that are equal",
      [10, 10, 10, 10].map((rate) => ({ ...near, rateAt: steady(rate) })),
      97,
    ],
    [
      "of four whose rates alternate",
      [0, 1, 2, 3].map((index) => ({ ...near, rateAt: switching(2, 16, 1000, index * 500) })),
      85,
    ],
    [
      "of one that collapses",
      [steady(10), steady(10), steady(10), changing(10, 0.5, 2000)].map((rateAt) => ({
        ...near,
        rateAt,
      })),
      90,
    ],
  ];
  for (const [what, replicas, least] of table) {
    it(`${what}: ${least} % of the ideal`, async () => {
      const world = { name: what, size: 192 * MiB, replicas, aim: 0 };
      const { seconds } = await runQuorate(world);
      const share = (100 * idealSeconds(world.size, replicas)) / seconds;
      assert.ok(share >= least, `${share.toFixed(1)} %`);
    });
  }

  it("of four whose rates alternate, told of late: 98.6 %", async () => {
    const shares: number[] = [];
    // Each ends in another moment between two changes.
    for (const sizeMiB of [206, 190, 174]) {
      const replicas = [0, 1, 2, 3].map((index) => {
        const rateAt = switching(2, 16, 1000, index * 500);
        return { rateAt, latencyMs: 5, bufferBytes: 128 * 1024, isGathered: true };
      });
      const world = { name: "alternating", size: sizeMiB * MiB, replicas, aim: 0 };
      const { seconds } = await runQuorate(world);
      shares.push((100 * idealSeconds(world.size, replicas)) / seconds);
    }
    const mean = shares.reduce((sum, share) => sum + share, 0) / shares.length;
    assert.ok(mean >= 98.6, shares.map((share) => share.toFixed(1)).join(", "));
  });
});
