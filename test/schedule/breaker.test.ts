import assert from "node:assert/strict";
import { limits } from "../../src/limits.js";
import type { Scheduler } from "../../src/schedule/scheduler.js";
import { A, B, failed, leaseOf, piece, standing, text, unreachable, w } from "./by-hand.js";

describe("schedule, a replica that cannot be reached", () => {
  /** A fails as often in a row as anybody may; gives the time of the last fault. */
  function withdrawn(scheduler: Scheduler): number {
    let now = 0;
    for (let faults = 0; faults < limits.faultsInARow; faults++) {
      scheduler.decide(now);
      failed(scheduler, A, unreachable, now);
      now = Math.max(now, scheduler.scoreboard.of(A).notBefore);
    }
    return now - 1.5 * limits.breakerMs;
  }

  it("is withdrawn after several faults in a row, and left alone for a while", () => {
    const scheduler = w(64, "AB");
    const at = withdrawn(scheduler);
    assert.equal(standing(scheduler), "withdrawn");
    assert.doesNotMatch(text(scheduler.decide(at + limits.breakerMs)), /A/);
  });

  it("is tried again with a single piece, and is good again once that came", () => {
    const scheduler = w(64, "AB");
    const at = withdrawn(scheduler) + 2 * limits.breakerMs;
    scheduler.decide(at);
    const probe = leaseOf(scheduler, A);
    assert.equal(probe.end - probe.start, 1);
    piece(scheduler, probe, at + 1);
    assert.equal(standing(scheduler), "good");
  });

  it("is withdrawn again at once when that fails", () => {
    const scheduler = w(64, "AB");
    const at = withdrawn(scheduler) + 2 * limits.breakerMs;
    scheduler.decide(at);
    failed(scheduler, A, unreachable, at);
    assert.equal(standing(scheduler), "withdrawn");
    assert.ok(scheduler.scoreboard.of(A).notBefore >= at + limits.breakerMs);
  });

  it("comes after one that is good: it would hold what is left for as long as it is silent", () => {
    const scheduler = w(2, "AB");
    scheduler.decide(0);
    failed(scheduler, A, unreachable, 1);
    failed(scheduler, B, { kind: "busy", retryMs: 100 }, 1);
    assert.match(text(scheduler.decide(limits.backoffCapMs)), /B0/);
  });

  it("is waited for even when it was the last one", () => {
    const scheduler = w(64, "A");
    withdrawn(scheduler);
    assert.ok(!scheduler.isHopeless);
  });

  it("whose file changed is not tried again, nor redeemed by a piece that comes late", () => {
    const scheduler = w(64, "AB");
    scheduler.decide(0);
    scheduler.faulted(A, { kind: "changed", detail: "another file" }, 1);
    piece(scheduler, leaseOf(scheduler, A), 2);
    assert.equal(standing(scheduler), "withdrawn");
    const later = scheduler.decide(1e9).filter(({ kind }) => kind === "read");
    assert.ok(later.every(({ lease }) => lease.replica === B));
  });
});
