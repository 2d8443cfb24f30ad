import assert from "node:assert/strict";
import { limits } from "../../src/limits.js";
import type { Fault } from "../../src/schedule/faults.js";
import { RangeSet } from "../../src/schedule/range.js";
import { Scheduler } from "../../src/schedule/scheduler.js";
import { replicaId } from "../../src/trust/quorum.js";
import { A, B, busy, failed, leaseOf, piece, standing, text, unreachable, w } from "./by-hand.js";
import { at, pieceBytes, SmallWorld } from "./small-world.js";

describe("schedule/scheduler", () => {
  const starts: readonly (readonly [Scheduler, decisions: string])[] = [
    [w(100, "A"), "A0-16"],
    [w(100, "AB"), "A0-16 B50-66"],
    [w(100, "ABCD"), "A0-16 B25-41 C50-66 D75-91"],
    [w(3, "A"), "A0-3"],
    [w(2, "ABC"), "A0-1 B1-2"],
    [w(0, "AB"), ""],
    [w(100, ""), ""],
    [w(100, "AB", 2), "A0-16 B50-66"],
    [w(100, "AB", 4), "A0-16 B25-41"],
    [w(100, "ABC", 4), "A0-16 B25-41 C50-66"],
    [w(12, "AB", 4), "A0-3 B3-6"],
  ];
  for (const [scheduler, decisions] of starts) {
    const { layout } = scheduler.ledger;
    it(`${layout.pieceCount} pieces begin with ${decisions || "nothing"}`, () =>
      assert.equal(text(scheduler.decide(0)), decisions));
  }

  it("with --chunks the n-th region belongs to the n-th replica, and round again", () => {
    const scheduler = w(100, "AB", 4);
    scheduler.decide(0);
    const regions = [A, B].map((replica) => scheduler.ledger.region(replica).ranges);
    assert.deepEqual(regions, [
      [
        { start: 16, end: 25 },
        { start: 50, end: 75 },
      ],
      [
        { start: 41, end: 50 },
        { start: 75, end: 100 },
      ],
    ]);
  });

  it("with one chunk the second replica takes half of it over", () => {
    assert.equal(text(w(100, "AB", 1).decide(0)), "A0-16 B50-66");
  });

  it("what has come and waits to be checked keeps nobody else from reading", () => {
    const names = Array.from({ length: limits.leases + 1 }, (_, at) =>
      String.fromCodePoint(512 + at),
    );
    const scheduler = w(32 * names.length, names.join(""));
    assert.equal(scheduler.decide(0).length, limits.leases);
    assert.equal(text(scheduler.decide(10)), "");
    const lease = leaseOf(scheduler, replicaId(names[0] ?? ""));
    scheduler.arrived(lease, 16 * pieceBytes, 20);
    assert.equal(scheduler.decide(20).length, 1);
  });

  it("but no more than as many again wait, however long the disk takes", () => {
    const names = Array.from({ length: 3 * limits.leases }, (_, at) =>
      String.fromCodePoint(512 + at),
    );
    const scheduler = w(32 * names.length, names.join(""));
    const given = [];
    for (let now = 0; now < 100; now += 10) {
      for (const { lease } of scheduler.decide(now)) {
        given.push(lease);
        scheduler.arrived(lease, (lease.end - lease.start) * pieceBytes, now);
      }
    }
    assert.equal(given.length, 2 * limits.leases);
  });

  it("nothing new is decided while nothing happens", () => {
    const scheduler = w(100, "AB");
    scheduler.decide(0);
    for (const now of [10, 250, 500]) assert.equal(text(scheduler.decide(now)), "");
  });

  it("a failed lease's pieces are wanted again, and another replica delivers them", () => {
    const scheduler = w(32, "AB");
    scheduler.decide(0);
    piece(scheduler, leaseOf(scheduler), 100);
    failed(scheduler, A, unreachable, 100);
    assert.deepEqual(scheduler.ledger.pool.ranges, [{ start: 1, end: 16 }]);
    assert.equal(scheduler.ledger.region(A).count, 0);
    const lease = leaseOf(scheduler, B);
    while (lease.next < lease.end) piece(scheduler, lease, 101 + lease.next);
    scheduler.ended(lease, undefined, 140);
    assert.match(text(scheduler.decide(140)), /^B1-/);
  });

  it("a replica that failed is left alone, then tried with one piece, then trusted again", () => {
    const scheduler = w(1000, "AB");
    scheduler.decide(0);
    failed(scheduler, A, unreachable, 0);
    assert.equal(standing(scheduler), "backing-off");
    assert.equal(text(scheduler.decide(124)), "");
    assert.equal(text(scheduler.decide(125)), "A0-1");
    const probe = leaseOf(scheduler);
    piece(scheduler, probe, 130);
    scheduler.ended(probe, undefined, 130);
    assert.equal(standing(scheduler), "good");
    assert.equal(scheduler.scoreboard.of(A).faultsInARow, 0);
    assert.match(text(scheduler.decide(131)), /^A1-(?!2$)/);
  });

  it("the fifth fault in a row withdraws a replica", () => {
    const scheduler = w(100, "A");
    const standings: string[] = [];
    for (let now = 0; standings.length < 5; now += 100) {
      scheduler.decide(now);
      if (scheduler.ledger.leasesOf(A).length === 0) continue;
      failed(scheduler, A, unreachable, now);
      standings.push(standing(scheduler));
    }
    const backs = ["backing-off", "backing-off", "backing-off", "backing-off"];
    assert.deepEqual(standings, [...backs, "withdrawn"]);
  });

  it("busy is no mark: the replica waits as told, and stays good", () => {
    const scheduler = w(100, "A");
    for (const now of [0, 2000, 4000, 6000, 8000, 10_000]) {
      assert.equal(text(scheduler.decide(now)), "A0-16");
      failed(scheduler, A, busy, now);
      assert.equal(text(scheduler.decide(now + 1999)), "");
    }
    assert.equal(standing(scheduler), "good");
    assert.equal(scheduler.scoreboard.of(A).faultsInARow, 0);
    assert.equal(scheduler.scoreboard.of(A).faults.get("busy"), 6);
    assert.ok(!scheduler.isHopeless);
  });

  it("a replica without the file, or not for us, is withdrawn at once", () => {
    const detail = "why";
    const faults: Fault[] = [
      { kind: "missing" },
      { kind: "changed", detail },
      { kind: "denied", detail },
    ];
    for (const fault of faults) {
      const scheduler = w(100, "AB");
      scheduler.decide(0);
      failed(scheduler, A, fault, 0);
      assert.equal(standing(scheduler), "withdrawn");
      assert.ok(!scheduler.isHopeless);
      failed(scheduler, B, fault, 0);
      assert.ok(scheduler.isHopeless);
    }
  });

  it("a silent replica is late by the watchdog, and its work moves", () => {
    const scheduler = w(32, "AB");
    scheduler.decide(0);
    for (let now = 50; now <= 1000; now += 50) {
      const [lease] = scheduler.ledger.leasesOf(B);
      if (lease !== undefined) piece(scheduler, lease, now);
      if (lease !== undefined && lease.next >= lease.end) scheduler.ended(lease, undefined, now);
      const decisions = scheduler.decide(now);
      const [cancelled] = decisions.filter(({ kind }) => kind === "cancel");
      assert.equal(
        cancelled === undefined ? "none" : text([cancelled]),
        now < 1000 ? "none" : "-A0",
      );
    }
    assert.equal(scheduler.scoreboard.of(A).faults.get("late"), 1);
    assert.equal(standing(scheduler), "backing-off");
  });

  it("under a limit of ours, a lease has the time that it takes us to let it through", () => {
    for (const [limitRate, deadlineMs] of [
      [undefined, limits.leaseMs],
      [2048, limits.leaseMultiple * 16 * 64 * 1000],
    ] as const) {
      const layout = { size: 100 * pieceBytes, pieceBytes, pieceCount: 100 };
      const given = { verified: RangeSet.empty, random: () => 0.5, limitRate };
      const scheduler = new Scheduler(layout, given);
      for (const replica of [A, B]) scheduler.join(replica);
      const [read] = scheduler.decide(0);
      assert.deepEqual(read?.kind === "read" && read.deadlineMs, deadlineMs);
    }
  });

  it("a stall of our own is forgiven", () => {
    const scheduler = w(100, "AB");
    scheduler.decide(0);
    for (const replica of [A, B]) piece(scheduler, leaseOf(scheduler, replica), 100);
    scheduler.decide(100);
    assert.equal(text(scheduler.decide(400_000)), "");
    assert.deepEqual([standing(scheduler, A), standing(scheduler, B)], ["good", "good"]);
  });

  it("a stall of our own makes nobody slower, and nobody slump", () => {
    const scheduler = w(20_000, "ABC");
    const replicas = [A, B, replicaId("C")];
    scheduler.decide(0);
    let now = 10;
    for (; now <= 3200; now += 10) {
      for (const replica of replicas) {
        // From 2 s on A has a tenth of its pace.
        if (replica === A && now > 2000 && now % 100 !== 0) continue;
        const lease = scheduler.ledger.leasesOf(replica).find(({ next, end }) => next < end);
        if (lease === undefined) continue;
        piece(scheduler, lease, now);
        if (lease.next >= lease.end) scheduler.ended(lease, undefined, now);
      }
      scheduler.decide(now);
    }
    const of = (at: number) => [
      ...replicas.map((replica) => Math.round(scheduler.knownRate(replica, at) ?? 0)),
      scheduler.ledger.region(A).count > 0,
    ];
    const before = of(now);
    scheduler.decide(now + 5000);
    const stoodMs = 5000 + 10 - limits.watchMs;
    assert.deepEqual(of(now + stoodMs), before);
  });

  it("a stall of our own voids the trial of a second stream", () => {
    const { scheduler, now } = new SmallWorld(90_000, { A: at(100, { latencyMs: 20 }) }).run(2500);
    assert.equal(scheduler.scoreboard.of(A).streams, 2);
    scheduler.decide(now + 5000);
    assert.equal(scheduler.scoreboard.of(A).streams, 1);
  });

  it("time at which we did look is not forgiven", () => {
    const scheduler = w(100, "A");
    let cancelled = "";
    for (let now = 0; now <= 10_000; now += 250)
      cancelled += text(scheduler.decide(now)).replace("A0-16", "");
    assert.equal(cancelled, "-A0");
  });

  it("a replica that runs dry cuts the slowest", () => {
    const scheduler = w(60, "ABC");
    scheduler.decide(0);
    const C = replicaId("C");
    for (let now = 100; now <= 2000; now += 100) {
      for (const [replica, every] of [
        [A, 100],
        [B, 200],
        [C, 400],
      ] as const) {
        const [lease] = scheduler.ledger.leasesOf(replica);
        if (lease === undefined || now % every !== 0) continue;
        piece(scheduler, lease, now);
        if (lease.next >= lease.end) scheduler.ended(lease, undefined, now);
      }
      scheduler.decide(now);
    }
    assert.ok(scheduler.ledger.region(C).count + leaseOf(scheduler, C).end < 60);
    assert.ok(leaseOf(scheduler).end > 20, `${leaseOf(scheduler).end}`);
  });
});
