/** Whole downloads where one connection carries less than the link, or the link is all there is. */

import assert from "node:assert/strict";
import { type Outcome, runQuorate } from "../../bench/run-quorate.js";
import type { WorldReplica } from "../../bench/schedule-worlds.js";
import { steady } from "./shapes.js";

const MB = 1e6;

function link(rate: number, parts: Partial<WorldReplica> = {}): WorldReplica {
  return { rateAt: steady(rate), latencyMs: 40, ...parts };
}

/** How a download of so many megabytes goes. */
function download(
  megabytes: number,
  replicas: readonly WorldReplica[],
  cap?: number,
): Promise<Outcome> {
  const world = { name: "streams", size: megabytes * MB, replicas, aim: 0 };
  return runQuorate(cap === undefined ? world : { ...world, cap });
}

describe("streams in whole downloads", function () {
  this.timeout(120_000);

  it("where a connection carries 5 of the link's 40 MB/s, four are used", async () => {
    const outcome = await download(200, [link(40, { connectionRate: 5 * MB })]);
    const { seconds, streams, faults, wasted } = outcome;
    assert.deepEqual([streams, faults], [[4], 0]);
    // One alone takes 40 s, four from the start 10 s; each is tried for more than 2 s.
    assert.ok(seconds < 17, `${seconds} s`);
    assert.ok(wasted < 2 * MB, `${wasted} bytes in vain`);
  });

  it("the same of two replicas, one after the other", async () => {
    const narrow = link(40, { connectionRate: 5 * MB });
    const { seconds, streams, faults } = await download(250, [narrow, narrow]);
    assert.ok(Math.min(...streams) >= 2, `${streams} streams`);
    assert.ok(seconds < 18, `${seconds} s, 25 s with one each`);
    assert.equal(faults, 0);
  });

  it("where the replica's link is the narrow place, the second is taken back", async () => {
    const { seconds, streams, faults, wasted, readsBeside } = await download(100, [link(5)]);
    assert.deepEqual([streams, faults], [[1], 0]);
    assert.ok(readsBeside > 0 && readsBeside <= 10, `${readsBeside} reads`);
    assert.ok(seconds < 1.02 * 20.04, `${seconds} of 20.04 s`);
    assert.ok(wasted < MB, `${wasted} bytes in vain`);
  });

  it("where our own link is the narrow place, every replica keeps one", async () => {
    const wide = link(40, { connectionRate: 20 * MB });
    const { seconds, streams, faults } = await download(150, [wide, wide, wide], 10);
    assert.deepEqual([streams, faults], [[1, 1, 1], 0]);
    assert.ok(seconds < 1.02 * 15.04, `${seconds} of 15.04 s`);
  });

  it("a replica that takes one connection only is asked for another once, and goes on", async () => {
    const { seconds, streams, faults, banned } = await download(100, [link(5, { connections: 1 })]);
    assert.deepEqual([streams, faults, banned], [[1], 1, 0]);
    assert.ok(seconds < 1.02 * 20.04, `${seconds} of 20.04 s`);
  });

  it("in a file that is done within seconds, and on this machine, nothing is tried", async () => {
    const narrow = { connectionRate: 5 * MB };
    const short = await download(30, [link(40, narrow)]);
    const near = await download(60, [link(40, { ...narrow, latencyMs: 1 })]);
    assert.deepEqual([short.readsBeside, near.readsBeside], [0, 0]);
  });
});
