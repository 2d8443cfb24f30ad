/** What reads may have on their way: a share each, and more for who is far and fast. */

import assert from "node:assert/strict";
import { WindowBudget } from "../../../src/grpc/express/window-budget.js";
import { WindowShare } from "../../../src/grpc/express/window-share.js";
import { limits } from "../../../src/limits.js";

const KiB = 1024;
const MiB = 1024 * KiB;

function budgetFor(reads: number): WindowBudget {
  const budget = new WindowBudget();
  for (let read = 0; read < reads; read++) budget.readBegins();
  return budget;
}

/** Lets bytes come as a link gives them to a server that sends a window in each round trip. */
function flow(share: WindowShare, link: { rate: number; roundTripMs: number }, from = 0): void {
  const stepMs = 5;
  let inWindow = 0;
  for (let now = from; now < from + 3000; now += stepMs) {
    if (now % link.roundTripMs === 0) inWindow = share.windowBytes;
    const bytes = Math.min(inWindow, (link.rate * stepMs) / 1000);
    inWindow -= bytes;
    if (bytes > 0) share.came(bytes, now);
  }
}

describe("the window of a read", () => {
  const rows: readonly [reads: number, bytes: number][] = [
    [0, limits.windowBytes],
    [1, limits.windowBytes],
    [4, limits.windowBytes],
    [16, 2 * MiB],
    [64, 512 * KiB],
    [128, 256 * KiB],
    [1000, limits.leastWindowBytes],
  ];
  for (const [reads, bytes] of rows) {
    it(`of ${reads} is ${bytes / KiB} KiB`, () => {
      assert.equal(new WindowShare(budgetFor(reads)).windowBytes, bytes);
    });
  }

  it("grows again when others end", () => {
    const budget = budgetFor(64);
    const share = new WindowShare(budget);
    for (let read = 0; read < 60; read++) budget.readEnds();
    assert.equal(share.windowBytes, limits.windowBytes);
  });

  const far: readonly [rate: number, roundTripMs: number, least: number][] = [
    [12.5 * MiB, 100, 2.5 * MiB],
    [50 * MiB, 50, 5 * MiB],
    [100 * MiB, 100, limits.windowBytes],
    [1 * MiB, 200, 512 * KiB],
  ];
  for (const [rate, roundTripMs, least] of far) {
    it(`reaches the product of ${rate / MiB} MiB/s and ${roundTripMs} ms beside 63 others`, () => {
      const share = new WindowShare(budgetFor(64));
      share.answered(roundTripMs);
      flow(share, { rate, roundTripMs });
      const { windowBytes } = share;
      assert.ok(windowBytes >= 0.9 * least, `${windowBytes / MiB} MiB, ${least / MiB} are needed`);
      assert.ok(windowBytes <= 1.3 * least, `${windowBytes / MiB} MiB, ${least / MiB} would do`);
    });
  }

  it("stays as it is for one that is near, however fast", () => {
    const share = new WindowShare(budgetFor(64));
    share.answered(1);
    flow(share, { rate: 200 * MiB, roundTripMs: 5 });
    assert.equal(share.windowBytes, 512 * KiB);
  });

  it("stays as it is as long as nothing was answered", () => {
    const share = new WindowShare(budgetFor(64));
    flow(share, { rate: 200 * MiB, roundTripMs: 5 });
    assert.equal(share.windowBytes, 512 * KiB);
  });

  it("takes the soonest answer for the round trip", () => {
    const share = new WindowShare(budgetFor(64));
    share.answered(1);
    share.answered(500);
    flow(share, { rate: 200 * MiB, roundTripMs: 5 });
    assert.equal(share.windowBytes, 512 * KiB);
  });

  it("of all together has a bound, and who leaves makes room", () => {
    const budget = budgetFor(64);
    const shares = Array.from({ length: 64 }, () => {
      const share = new WindowShare(budget);
      share.answered(100);
      flow(share, { rate: 100 * MiB, roundTripMs: 100 });
      return share;
    });
    const all = () => shares.reduce((sum, { windowBytes }) => sum + windowBytes, 0);
    assert.ok(all() <= limits.receiveBytes, `${all() / MiB} MiB`);
    assert.equal(shares.at(-1)?.windowBytes, 512 * KiB);
    shares[0]?.leave();
    const last = shares.at(-1) ?? assert.fail();
    flow(last, { rate: 100 * MiB, roundTripMs: 100 }, 3000);
    assert.ok(last.windowBytes > 6 * MiB, `${last.windowBytes / MiB} MiB`);
    assert.ok(all() <= limits.receiveBytes, `${all() / MiB} MiB`);
  });
});
