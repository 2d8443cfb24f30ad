import assert from "node:assert/strict";
import { limits } from "../../src/limits.js";
import type { Fault } from "../../src/schedule/faults.js";
import { RangeSet } from "../../src/schedule/range.js";
import { Scheduler } from "../../src/schedule/scheduler.js";
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

describe("schedule/discipline, how long it leaves a replica alone", () => {
  /** Milliseconds after the last of so many faults in a row, with this chance. */
  function waitMs(fault: Fault, times: number, random: number): number {
    const layout = { size: 64 * pieceBytes, pieceBytes, pieceCount: 64 };
    const given = { verified: RangeSet.empty, random: () => random };
    const scheduler = new Scheduler(layout, given);
    scheduler.join(A);
    let now = 0;
    for (let index = 0; index < times; index++) {
      now = Math.max(now, scheduler.scoreboard.of(A).notBefore);
      scheduler.faulted(A, fault, now);
    }
    return scheduler.scoreboard.of(A).notBefore - now;
  }

  const { backoffBaseMs, breakerMs, retryMinMs, retryMaxMs } = limits;
  const wish = (retryMs: number): Fault => ({ kind: "busy", retryMs });
  const hashing = { kind: "hashing", doneBytes: 0, totalBytes: 1 } as const;
  const table: readonly (readonly [
    what: string,
    Fault,
    times: number,
    random: number,
    ms: number,
  ])[] = [
    ["a first fault, by the worst luck", unreachable, 1, 1, backoffBaseMs],
    ["a first fault, by the best luck", unreachable, 1, 0, 0],
    ["a third one in a row", unreachable, 3, 0.75, 3 * backoffBaseMs],
    ["one too many, by the best luck", unreachable, limits.faultsInARow, 0, breakerMs],
    ["one too many, by the worst luck", unreachable, limits.faultsInARow, 1, 2 * breakerMs],
    ["who asks for two seconds", wish(2000), 1, 0, 2000],
    ["who asks for a day", wish(86_400_000), 1, 0, retryMaxMs],
    ["who asks for no number", wish(Number.NaN), 1, 0, retryMaxMs],
    ["who asks to be asked at once", wish(0), 1, 0, retryMinMs],
    ["who hashes, and asks for a day", { ...hashing, retryMs: 86_400_000 }, 1, 0, retryMaxMs],
  ];
  for (const [what, fault, times, random, ms] of table) {
    it(`${what}: ${ms} ms`, () => assert.equal(waitMs(fault, times, random), ms));
  }

  it("two leases that break for one reason are one fault in the row", () => {
    const scheduler = w(64, "AB");
    scheduler.decide(0);
    scheduler.faulted(A, unreachable, 10);
    scheduler.faulted(A, unreachable, 11);
    assert.equal(scheduler.scoreboard.of(A).faultsInARow, 1);
    assert.equal(scheduler.scoreboard.of(A).faults.get("unreachable"), 2);
  });

  it("a replica that is tried again has one piece to bring, and no other beside it", () => {
    const scheduler = w(1000, "AB");
    scheduler.decide(0);
    const lease = leaseOf(scheduler);
    for (let now = 10; lease.next < lease.end; now += 10) piece(scheduler, lease, now);
    failed(scheduler, A, unreachable, 200);
    const asked = [340, 341, 345].map((now) => text(scheduler.decide(now)));
    assert.match(asked[0] ?? "", /^A(\d+)-\d+$/);
    assert.deepEqual(asked.slice(1), ["", ""], "its rate is known, and the piece is nearly there");
    const probe = leaseOf(scheduler);
    assert.equal(probe.end - probe.start, 1);
  });

  it("who was late is given twice the time when it is tried again", () => {
    const scheduler = w(1000, "AB");
    scheduler.decide(0);
    let lateMs: number | undefined;
    const lates: number[] = [];
    for (let now = 50; now < 8000 && lates.length < 2; now += 50) {
      const [lease] = scheduler.ledger.leasesOf(B);
      if (lease !== undefined) piece(scheduler, lease, now);
      if (lease !== undefined && lease.next >= lease.end) scheduler.ended(lease, undefined, now);
      for (const decision of scheduler.decide(now)) {
        if (decision.lease.replica !== A) continue;
        if (decision.kind === "read") lateMs = now;
        else lates.push(now - (lateMs ?? 0));
      }
    }
    assert.deepEqual(lates, [limits.firstByteMs, 2 * limits.firstByteMs]);
  });
});
