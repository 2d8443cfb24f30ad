import assert from "node:assert/strict";
import { backoffMs, clampedRetryMs } from "../../src/schedule/backoff.js";

const nearlyOne = 1 - 2 ** -53;

describe("schedule/backoff", () => {
  const ceilings: readonly (readonly [faults: number, ceilingMs: number])[] = [
    [1, 250],
    [2, 500],
    [3, 1000],
    [4, 2000],
    [5, 4000],
    [6, 8000],
    [7, 10_000],
    [8, 10_000],
    [2000, 10_000],
  ];
  for (const [faults, ceilingMs] of ceilings) {
    it(`after ${faults} in a row it is anything below ${ceilingMs} ms: full jitter`, () => {
      assert.equal(backoffMs(faults, 0), 0);
      assert.equal(backoffMs(faults, 0.5), ceilingMs / 2);
      assert.ok(backoffMs(faults, nearlyOne) <= ceilingMs);
      assert.ok(backoffMs(faults, nearlyOne) > ceilingMs * 0.999);
    });
  }

  const wishes: readonly (readonly [wishMs: number, grantedMs: number])[] = [
    [0, 50],
    [-1, 50],
    [49, 50],
    [50, 50],
    [700, 700],
    [30_000, 30_000],
    [30_001, 30_000],
    [1e300, 30_000],
    [Number.POSITIVE_INFINITY, 30_000],
    [Number.NaN, 30_000],
  ];
  for (const [wishMs, grantedMs] of wishes) {
    it(`a server that asks for ${wishMs} ms is left alone for ${grantedMs}`, () =>
      assert.equal(clampedRetryMs(wishMs), grantedMs));
  }
});
