/** Whole downloads by a client that takes its time to decide. */

import assert from "node:assert/strict";
import { runQuorate } from "../../bench/run-quorate.js";
import { steady } from "./shapes.js";

const MiB = 1024 * 1024;

function download(decidingMs: number) {
  const replicas = Array.from({ length: 32 }, () => ({ rateAt: steady(10), latencyMs: 5 }));
  return runQuorate({ name: "crowd", size: 256 * MiB, replicas, aim: 0, decidingMs });
}

describe("a download from many", function () {
  this.timeout(60_000);

  it("spends a small part of its time with deciding, and is hardly later for it", async () => {
    const [quick, slow] = [await download(0), await download(2)];
    const share = (2 * slow.turns) / 1000 / slow.seconds;
    assert.ok(share < 0.15, `${slow.turns} turns in ${slow.seconds} s`);
    assert.ok(slow.seconds < 1.1 * quick.seconds, `${slow.seconds} and ${quick.seconds} s`);
    assert.deepEqual([slow.faults, slow.banned], [0, 0]);
  });
});
