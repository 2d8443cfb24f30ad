import assert from "node:assert/strict";
import type { Lease } from "../../src/schedule/ledger.js";
import type { Scheduler } from "../../src/schedule/scheduler.js";
import { replicaId } from "../../src/trust/quorum.js";
import { A, B, leaseOf, piece, text, w } from "./by-hand.js";
import { pieceBytes } from "./small-world.js";

const C = replicaId("C");

/** A lease of one piece that comes in two halves, the second one at `now`. */
function delivered(scheduler: Scheduler, lease: Lease, now: number): void {
  scheduler.arrived(lease, pieceBytes / 2, now - 10);
  scheduler.awaiting(lease, now - 10);
  scheduler.arrived(lease, pieceBytes / 2, now);
  scheduler.settled(lease, lease.start, now);
  scheduler.ended(lease, undefined, now);
}

describe("schedule: silence", () => {
  function oneSilent(): Scheduler {
    const scheduler = w(3, "ABC");
    scheduler.decide(0);
    for (const replica of [B, C]) delivered(scheduler, leaseOf(scheduler, replica), 20);
    return scheduler;
  }

  it("a piece that two silent replicas hold is fetched by a third one", () => {
    const scheduler = oneSilent();
    let decided = "";
    for (let now = 20; now <= 400; now += 20) decided += ` ${text(scheduler.decide(now))}`;
    assert.match(decided, /^ +[BC]0-1 +[BC]0-1 +$/);
    assert.equal(scheduler.ledger.hedgedPieces, 2);
  });

  it("but not while the second one delivers", () => {
    const scheduler = oneSilent();
    let hedge: Lease | undefined;
    for (let now = 20; now <= 400; now += 20) {
      scheduler.decide(now);
      hedge = scheduler.ledger.leases().find(({ isHedge }) => isHedge);
      if (hedge === undefined) continue;
      scheduler.arrived(hedge, 10, now);
      scheduler.awaiting(hedge, now);
    }
    assert.equal(scheduler.ledger.hedgedPieces, 1);
  });

  it("the slow first chunk of a near replica does not earn it a long lease", () => {
    const scheduler = w(4000, "");
    scheduler.join(A, 5);
    scheduler.decide(0);
    const lease = leaseOf(scheduler);
    while (lease.next < lease.end) piece(scheduler, lease, 900);
    scheduler.ended(lease, undefined, 900);
    assert.equal(text(scheduler.decide(900)), "A16-48");
  });

  it("what a replica left behind is everybody's part at once, not the first one's that asks", () => {
    const scheduler = w(48, "ABC");
    scheduler.decide(0);
    scheduler.faulted(A, { kind: "missing" }, 0);
    scheduler.ended(leaseOf(scheduler), undefined, 0);
    const lease = leaseOf(scheduler, B);
    for (let now = 10; lease.next < lease.end; now += 10) {
      piece(scheduler, lease, now);
      if (now % 40 !== 0) piece(scheduler, leaseOf(scheduler, C), now);
    }
    scheduler.ended(lease, undefined, 160);
    scheduler.decide(160);
    assert.ok(scheduler.ledger.pool.isEmpty);
    assert.ok(scheduler.ledger.region(C).count > 0, "C has its part, though it is busy still");
  });
});
