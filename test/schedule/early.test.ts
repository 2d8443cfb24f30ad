import assert from "node:assert/strict";
import type { Layout } from "../../src/schedule/pieces.js";
import { RangeSet } from "../../src/schedule/range.js";
import { Scheduler } from "../../src/schedule/scheduler.js";
import { replicaId } from "../../src/trust/quorum.js";

const KiB = 1024;
const layout: Layout = { size: 100 * 64 * KiB, pieceBytes: 64 * KiB, pieceCount: 100 };
const [A, B, C] = [replicaId("A"), replicaId("B"), replicaId("C")];

describe("a lease that was read before it was given", () => {
  let scheduler: Scheduler;
  const adopted = () => {
    const { lease } = scheduler.adopt(A, { start: 0, end: 8 }, 20);
    return lease;
  };
  beforeEach(() => {
    scheduler = new Scheduler(layout, { verified: RangeSet.empty, random: () => 0.5 });
    scheduler.join(A, 20);
    scheduler.join(B, 20);
  });

  it("is nobody else's, and the next one is asked for behind it at once", () => {
    adopted();
    const reads = scheduler.decide(20).filter(({ kind }) => kind === "read");
    assert.deepEqual(reads.map(({ lease }) => lease.replica).sort(), [A, B]);
    assert.ok(reads.every(({ lease }) => lease.start >= 8));
  });

  it("tells neither how far its replica is, nor how fast: its bytes waited for us", () => {
    const lease = adopted();
    scheduler.decide(20);
    for (const ms of [0, 1, 2, 40]) scheduler.arrived(lease, 64 * KiB, 20 + ms);
    assert.equal(scheduler.scoreboard.latencyMs(A), 20);
    assert.equal(scheduler.scoreboard.knownRate(A, 60), undefined);
  });

  it("is wanted again, without a mark, when it ends early", () => {
    scheduler.ended(adopted(), undefined, 30);
    assert.equal(scheduler.scoreboard.of(A).standing, "good");
    assert.ok(scheduler.ledger.pool.has(0));
  });

  it("of a small file is left to its replica for a moment: its bytes are here already", () => {
    const small = { size: 16 * 64 * KiB, pieceBytes: 64 * KiB, pieceCount: 16 };
    scheduler = new Scheduler(small, { verified: RangeSet.empty, random: () => 0.5 });
    for (const replica of [A, B, C]) scheduler.join(replica, 20);
    scheduler.adopt(A, { start: 0, end: 8 }, 20);
    scheduler.adopt(B, { start: 8, end: 16 }, 20);
    const readers = (now: number) =>
      scheduler.decide(now).flatMap(({ kind, lease }) => (kind === "read" ? [lease.replica] : []));
    assert.deepEqual([20, 69].flatMap(readers), []);
    assert.ok(readers(70).includes(C), "then it is a lease like any other");
  });

  it("is for those who take part, and are well", () => {
    scheduler.scoreboard.ban(B, undefined, "it lied");
    assert.deepEqual(
      [A, B, C].map((replica) => scheduler.scoreOf(replica)?.standing),
      ["good", "banned", undefined],
    );
  });
});
