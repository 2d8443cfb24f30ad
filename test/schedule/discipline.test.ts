import assert from "node:assert/strict";
import type { Scheduler } from "../../src/schedule/scheduler.js";
import { A, B, busy, failed, leaseOf, piece, standing, text, unreachable, w } from "./by-hand.js";
import { corrupt, pieceBytes } from "./small-world.js";

describe("schedule/discipline", () => {
  /** A delivered piece 0 wrong; B has it still to deliver. */
  function accused(replicas = "AB"): Scheduler {
    const scheduler = w(32, replicas);
    scheduler.decide(0);
    scheduler.arrived(leaseOf(scheduler), pieceBytes, 10);
    failed(scheduler, A, corrupt(0), 10);
    return scheduler;
  }

  /** B delivers all that it has, until piece 0 came right. */
  function deliver(scheduler: Scheduler, until: number, now: number) {
    for (;;) {
      scheduler.decide(now);
      const lease = leaseOf(scheduler, B);
      const isLast = lease.next === until;
      const settlement = piece(scheduler, lease, now);
      if (lease.next >= lease.end) scheduler.ended(lease, undefined, now);
      if (isLast) return settlement;
    }
  }

  it("a corrupt replica is banned only after the piece came right from another", () => {
    const scheduler = accused();
    for (const now of [20, 200, 400]) assert.doesNotMatch(text(scheduler.decide(now)), /A/);
    assert.equal(standing(scheduler), "backing-off");
    const { guilty } = deliver(scheduler, 0, 400);
    assert.deepEqual(
      guilty.map(({ replica }) => replica),
      [A],
    );
    assert.equal(standing(scheduler), "banned");
    assert.equal(scheduler.scoreboard.of(A).evidence?.piece, 0);
    assert.equal(standing(scheduler, B), "good");
  });

  it("an accused replica is not redeemed by another piece that it delivers right", () => {
    const scheduler = w(32, "AB");
    scheduler.decide(0);
    scheduler.faulted(A, corrupt(5), 10);
    piece(scheduler, leaseOf(scheduler), 20);
    assert.equal(standing(scheduler), "backing-off");
  });

  it("what a corrupt replica sent is waste", () => {
    assert.equal(accused().scoreboard.of(A).wastedBytes, pieceBytes);
  });

  it("when both deliver it wrong, neither is banned until one of them gets it right", () => {
    const scheduler = accused();
    failed(scheduler, B, corrupt(0), 20);
    assert.deepEqual(
      [standing(scheduler, A), standing(scheduler, B)],
      ["backing-off", "backing-off"],
    );
    scheduler.decide(30);
    const [lease] = scheduler.ledger.leases().filter(({ next }) => next === 0);
    assert.ok(lease?.replica === A);
    piece(scheduler, lease, 40);
    assert.deepEqual([standing(scheduler, A), standing(scheduler, B)], ["good", "banned"]);
  });

  it("a lone corrupt replica is banned when it delivers a piece wrong for the third time", () => {
    const scheduler = accused("A");
    const standings: string[] = [];
    for (const now of [20, 30]) {
      scheduler.decide(now);
      standings.push(standing(scheduler));
      failed(scheduler, A, corrupt(0), now);
    }
    scheduler.decide(40);
    assert.deepEqual([...standings, standing(scheduler)], ["backing-off", "backing-off", "banned"]);
    assert.ok(scheduler.isHopeless);
  });

  it("a wrong piece list is a ban at once", () => {
    const scheduler = w(32, "AB");
    scheduler.faulted(A, { kind: "corrupt", detail: "the list" }, 0);
    assert.equal(standing(scheduler), "banned");
    assert.doesNotMatch(text(scheduler.decide(0)), /A/);
  });

  it("a replica that is accused gets nothing, whatever else it does wrong meanwhile", () => {
    for (const fault of [unreachable, { ...busy, retryMs: 200 }]) {
      const scheduler = accused();
      scheduler.faulted(A, fault, 10);
      let decided = "";
      for (let now = 20; now < 900; now += 100)
        decided += text(scheduler.decide(now)).replace(/-?B\S*/g, "");
      assert.equal(decided.trim(), "", fault.kind);
    }
  });

  it("a lone replica that is accused and busy is left alone as long as it asked", () => {
    const scheduler = accused("A");
    assert.equal(text(scheduler.decide(20)), "A0-1");
    failed(scheduler, A, busy, 20);
    assert.equal(text(scheduler.decide(30)), "");
    assert.equal(text(scheduler.decide(2020)), "A0-1");
  });

  it("a ban ends the reads of the banned, and says so", () => {
    const scheduler = w(32, "AB");
    scheduler.decide(0);
    scheduler.faulted(A, { kind: "corrupt", detail: "the list" }, 10);
    assert.equal(scheduler.ledger.leasesOf(A).length, 0);
    assert.match(text(scheduler.decide(20)), /-A0/);
  });
});
