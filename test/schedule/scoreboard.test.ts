import assert from "node:assert/strict";
import { pieceIndex } from "../../src/schedule/pieces.js";
import { isBeyondPatience, Scoreboard } from "../../src/schedule/scoreboard.js";
import { replicaId } from "../../src/trust/quorum.js";

const [A, B, C] = [replicaId("A"), replicaId("B"), replicaId("C")];

function board(...latenciesMs: number[]): Scoreboard {
  const scoreboard = new Scoreboard();
  for (const replica of [A, B, C]) scoreboard.add(replica, undefined);
  for (const latencyMs of latenciesMs) scoreboard.addLatency(A, latencyMs);
  return scoreboard;
}

/** Lets bytes flow at so many a second for a second. */
function flow(scoreboard: Scoreboard, replica: typeof A, rate: number): void {
  scoreboard.startFlow(replica, 0);
  scoreboard.addArrived(replica, rate, 1000);
  scoreboard.stopFlow(replica, 1000);
}

describe("schedule/scoreboard", () => {
  it("who was never added takes no part", () => {
    assert.throws(() => new Scoreboard().of(A), /A takes part/);
  });

  it("a lease that came whole because more was asked for does not tell what is usually brought", () => {
    const scoreboard = board();
    const lease = {
      id: 1,
      replica: A,
      lane: 0,
      start: pieceIndex(0),
      isHedge: false,
      isEarly: false,
    };
    scoreboard.addBrought({ ...lease, next: 8, end: 20 });
    assert.equal(scoreboard.of(A).broughtShare, 0.7);
    scoreboard.addBrought({ ...lease, next: 1, end: 1 });
    assert.equal(scoreboard.of(A).broughtShare, 0.7);
    scoreboard.addBrought({ ...lease, next: 4, end: 4 });
    assert.equal(scoreboard.of(A).broughtShare, 0.85);
  });

  it("adding a replica twice changes nothing", () => {
    const scoreboard = board();
    scoreboard.ban(A, undefined, "lied");
    scoreboard.add(A, 5);
    assert.equal(scoreboard.of(A).standing, "banned");
    assert.equal(scoreboard.latencyMs(A), 0);
    assert.equal(scoreboard.all().length, 3);
  });

  it("the usual latency is the median, the worst one stands for p99, of the last 16", () => {
    const table: readonly (readonly [seen: number[], usual: number, worst: number])[] = [
      [[], 0, 0],
      [[5], 5, 5],
      [[1, 2, 90], 2, 90],
      [[90, 1, 2], 2, 90],
      [[900, ...Array.from({ length: 16 }, () => 3)], 3, 3],
    ];
    for (const [seen, usual, worst] of table) {
      const scoreboard = board(...seen);
      assert.deepEqual([scoreboard.latencyMs(A), scoreboard.worstLatencyMs(A)], [usual, worst]);
    }
  });

  it("a first byte that waited for another lease makes no replica further away", () => {
    const scoreboard = board(10);
    scoreboard.addLatency(A, 400, true);
    scoreboard.addLatency(A, 400, true);
    assert.deepEqual([scoreboard.latencyMs(A), scoreboard.worstLatencyMs(A)], [10, 400]);
    for (let seen = 0; seen < 5; seen++) scoreboard.addLatency(A, 4, true);
    assert.equal(scoreboard.latencyMs(A), 4, "but it may turn out to be nearer");
  });

  it("how long a vote took is forgotten once a first byte came: it was connected to, too", () => {
    const scoreboard = new Scoreboard();
    scoreboard.add(A, 400);
    assert.equal(scoreboard.latencyMs(A), 400);
    scoreboard.addLatency(A, 150);
    assert.deepEqual([scoreboard.latencyMs(A), scoreboard.leastLatencyMs(A)], [150, 150]);
    scoreboard.addLatency(A, 170);
    assert.equal(scoreboard.of(A).latenciesMs.length, 2);
  });

  it("an unknown rate is the median of the known ones, and never nothing", () => {
    const scoreboard = board();
    assert.equal(scoreboard.rate(A, 0), 1);
    flow(scoreboard, B, 500);
    flow(scoreboard, C, 900);
    assert.equal(scoreboard.knownRate(A, 1000), undefined);
    assert.equal(Math.round(scoreboard.rate(A, 1000)), 900);
    assert.equal(Math.round(scoreboard.rate(B, 1000)), 500);
  });

  it("an unknown rate follows what is measured at the very time of the question", () => {
    const scoreboard = board();
    flow(scoreboard, B, 500);
    assert.equal(Math.round(scoreboard.rate(A, 1000)), 500);
    flow(scoreboard, C, 900);
    assert.equal(Math.round(scoreboard.rate(A, 1000)), 900);
    scoreboard.shift(60_000);
    assert.ok(scoreboard.rate(A, 61_000) > 1);
  });

  it("is not worked out anew for everybody who has none", () => {
    const many = (count: number) => Array.from({ length: count }, (_, i) => replicaId(`r${i}:1`));
    const questions = (count: number) => {
      const scoreboard = new Scoreboard();
      let asked = 0;
      for (const id of many(count)) {
        scoreboard.add(id, undefined);
        const { meter } = scoreboard.of(id);
        const rate = meter.rate.bind(meter);
        meter.rate = (now) => {
          asked++;
          return rate(now);
        };
      }
      for (const id of many(count)) scoreboard.rate(id, 0);
      return asked;
    };
    assert.equal(questions(200), 2 * 200);
  });

  it("a replica that sends nothing is slow, not infinitely so", () => {
    const scoreboard = board();
    scoreboard.startFlow(A, 0);
    assert.equal(scoreboard.rate(A, 60_000), 1);
  });

  it("only the bytes of others, after that moment, say that others moved", () => {
    const scoreboard = board();
    assert.ok(!scoreboard.othersMovedSince(A, 0));
    scoreboard.heard(A, 9);
    assert.ok(!scoreboard.othersMovedSince(A, 5));
    scoreboard.heard(B, 5);
    assert.ok(!scoreboard.othersMovedSince(A, 5));
    assert.ok(scoreboard.othersMovedSince(A, 4));
  });

  it("standing only gets worse from withdrawn, and never from banned", () => {
    const scoreboard = board();
    scoreboard.suspend(A, "late", 10);
    assert.equal(scoreboard.of(A).standing, "backing-off");
    scoreboard.redeem(A);
    assert.deepEqual([scoreboard.of(A).standing, scoreboard.of(A).reason], ["good", undefined]);
    scoreboard.withdraw(A, "gone");
    scoreboard.suspend(A, "late", 10);
    scoreboard.redeem(A);
    assert.deepEqual([scoreboard.of(A).standing, scoreboard.of(A).reason], ["withdrawn", "gone"]);
    scoreboard.ban(A, undefined, "lied");
    scoreboard.withdraw(A, "gone");
    scoreboard.suspend(A, "late", 10);
    scoreboard.redeem(A);
    assert.deepEqual([scoreboard.of(A).standing, scoreboard.of(A).reason], ["banned", "lied"]);
  });

  it("a replica is ready when it is in, and its wait is over", () => {
    const scoreboard = board();
    const ready = (now: number) => scoreboard.isReady(scoreboard.of(A), now);
    assert.ok(ready(0));
    scoreboard.suspend(A, "late", 10);
    assert.ok(!ready(9) && ready(10));
    scoreboard.withdraw(A, "gone");
    assert.ok(!ready(10));
    scoreboard.ban(A, undefined, "lied");
    assert.ok(!ready(10));
  });

  it("faults are counted by kind, for one replica alone", () => {
    const scoreboard = board();
    for (let time = 0; time < 2; time++) scoreboard.count(A, { kind: "busy", retryMs: 1 });
    scoreboard.count(A, { kind: "missing" });
    assert.deepEqual(
      [...scoreboard.of(A).faults],
      [
        ["busy", 2],
        ["missing", 1],
      ],
    );
    assert.equal(scoreboard.of(B).faults.size, 0);
  });

  it("patience ends with the fifth fault in a row", () => {
    assert.deepEqual([4, 5, 6].map(isBeyondPatience), [false, true, true]);
  });
});
