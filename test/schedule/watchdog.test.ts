import assert from "node:assert/strict";
import { isInTime, type LeaseClock, leaseDeadlineMs, watch } from "../../src/schedule/watchdog.js";

const clock: LeaseClock = {
  grantedAt: 0,
  waitingSince: 0,
  hasBytes: false,
  deadlineAt: 300_000,
  latencyMs: 10,
  worstLatencyMs: 20,
  usualGapMs: 5,
  faultsInARow: 0,
  othersMoved: true,
};
/** A lease that waits for its first byte; one that waits for the next. */
const f = (changed: Partial<LeaseClock> = {}): LeaseClock => ({ ...clock, ...changed });
const i = (changed: Partial<LeaseClock> = {}): LeaseClock => f({ hasBytes: true, ...changed });
const lonely = { othersMoved: false };

describe("schedule/watchdog", () => {
  const table: readonly (readonly [what: string, LeaseClock, now: number, verdict: string])[] = [
    ["a first byte has a second", f(), 999, "ok"],
    ["and no more", f(), 1000, "first-byte 1000"],
    ["four of the worst latencies, where that is more", f({ worstLatencyMs: 500 }), 1999, "ok"],
    ["and no more than that", f({ worstLatencyMs: 500 }), 2000, "first-byte 2000"],
    [
      "the usual latency is not asked about a first byte",
      f({ latencyMs: 900 }),
      1000,
      "first-byte 1000",
    ],
    ["the next byte has a second and a half", i(), 1499, "ok"],
    ["and no more", i(), 1500, "idle 1500"],
    ["ten usual latencies, where that is more", i({ latencyMs: 200 }), 1999, "ok"],
    ["and no more than that", i({ latencyMs: 200 }), 2000, "idle 2000"],
    [
      "the worst latency is not asked about the next byte",
      i({ worstLatencyMs: 900 }),
      1500,
      "idle 1500",
    ],
    ["four usual gaps, where that is more", i({ usualGapMs: 1000 }), 3999, "ok"],
    ["and no more than that", i({ usualGapMs: 1000 }), 4000, "idle 4000"],
    ["for a first byte, too", f({ usualGapMs: 1000 }), 3999, "ok"],
    ["after two faults in a row, four times as long", i({ faultsInARow: 2 }), 5999, "ok"],
    ["and no more than that", i({ faultsInARow: 2 }), 6000, "idle 6000"],
    ["the wait counts, not the age of the lease", i({ waitingSince: 9000 }), 10_499, "ok"],
    ["and is what the fault says", i({ waitingSince: 9000 }), 10_500, "idle 1500"],
    [
      "while we are busy ourselves no idle clock runs",
      i({ waitingSince: undefined }),
      299_999,
      "ok",
    ],
    ["when nobody moves, a first byte has ten seconds", f(lonely), 9999, "ok"],
    ["and no more", f(lonely), 10_000, "first-byte 10000"],
    ["when nobody moves, the next byte has ten seconds", i(lonely), 9999, "ok"],
    ["and no more", i(lonely), 10_000, "idle 10000"],
    ["a far replica has no less alone", i({ ...lonely, latencyMs: 1100 }), 10_999, "ok"],
    ["and no more", i({ ...lonely, latencyMs: 1100 }), 11_000, "idle 11000"],
    ["the whole lease has its deadline", i({ waitingSince: 299_000 }), 299_999, "ok"],
    ["and no more", i({ waitingSince: 299_000 }), 300_000, "lease 300000"],
    ["even when we are busy ourselves", i({ waitingSince: undefined }), 300_000, "lease 300000"],
    ["even when nobody moves", i({ ...lonely, waitingSince: 299_000 }), 300_000, "lease 300000"],
    [
      "a lease is timed from its grant",
      i({ grantedAt: 5, deadlineAt: 9, waitingSince: 8 }),
      9,
      "lease 4",
    ],
    ["a wait that began later than now is none", i({ waitingSince: 5000 }), 1000, "ok"],
  ];
  for (const [what, state, now, verdict] of table) {
    it(`${what}: ${verdict} at ${now}`, () => {
      const fault = watch(state, now);
      // Only who is certainly not late may be passed over.
      if (verdict !== "ok") assert.equal(isInTime(state, now), false);
      assert.ok(fault === undefined || fault.kind === "late");
      assert.equal(fault === undefined ? "ok" : `${fault.clock} ${fault.waitedMs}`, verdict);
    });
  }

  it("a deadline is five minutes, or eight times what the rate promises", () => {
    const MB = 1e6;
    assert.equal(leaseDeadlineMs(64 * MB, undefined), 300_000);
    assert.equal(leaseDeadlineMs(1 * MB, 1 * MB), 300_000);
    assert.equal(leaseDeadlineMs(100 * MB, 1 * MB), 800_000);
    assert.equal(leaseDeadlineMs(0, 1), 300_000);
  });
});
