import assert from "node:assert/strict";
import { Forecast } from "../../src/schedule/forecast.js";
import { LeaseBook } from "../../src/schedule/lease-book.js";
import { type Lease, Ledger } from "../../src/schedule/ledger.js";
import { pieceIndex } from "../../src/schedule/pieces.js";
import type { Scheduler } from "../../src/schedule/scheduler.js";
import { Scoreboard } from "../../src/schedule/scoreboard.js";
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

  /** How often the piece is fetched again while the second one delivers so much each 20 ms. */
  function hedgesBeside(bytes: number): number {
    const scheduler = oneSilent();
    for (let now = 20, came = 0; now <= 400 && came < pieceBytes; now += 20) {
      scheduler.decide(now);
      const hedge = scheduler.ledger.leases().find(({ isHedge }) => isHedge);
      if (hedge === undefined) continue;
      came += bytes;
      scheduler.arrived(hedge, bytes, now);
      scheduler.awaiting(hedge, now);
    }
    return scheduler.ledger.hedgedPieces;
  }

  it("but not while the second one delivers", () => assert.equal(hedgesBeside(pieceBytes / 2), 1));

  it("unless that would take far longer than the third one needs", () =>
    assert.equal(hedgesBeside(10), 2));

  it("of a hedge, only what came twice is part of the budget", () => {
    const scheduler = oneSilent();
    for (let now = 20; now <= 400; now += 20) scheduler.decide(now);
    const [first, second, third] = scheduler.ledger.leases();
    assert.ok(first !== undefined && second !== undefined && third !== undefined);
    assert.equal(scheduler.ledger.hedgedPieces, 2);
    scheduler.arrived(first, pieceBytes / 4, 410);
    const { losers } = piece(scheduler, third, 420);
    assert.deepEqual(losers, [first, second]);
    assert.equal(scheduler.ledger.hedgedPieces, 0.25);
  });

  it("who has been silent is expected to take four times as long for what it has left", () => {
    const ledger = new Ledger({ size: 100 * pieceBytes, pieceBytes, pieceCount: 100 });
    const scoreboard = new Scoreboard();
    const book = new LeaseBook(ledger, scoreboard);
    const forecast = new Forecast(ledger, scoreboard, book);
    scoreboard.add(A, 10);
    ledger.assign(A, ledger.pool);
    const lease = ledger.open(A, 100);
    book.granted(lease, 60_000, 0);
    for (let now = 10; now <= 900; now += 10) {
      book.arrived(lease, pieceBytes, now);
      ledger.settle(lease, pieceIndex(lease.next));
      book.settled(lease, pieceBytes);
      book.awaiting(lease, now);
    }
    // The usual gap of 10 ms is no silence.
    assert.ok(forecast.rate(A, 910) > 95 * pieceBytes);
    const seconds = (10 * pieceBytes) / forecast.rate(A, 970);
    assert.ok(Math.abs(seconds - 4 * 0.06) < 0.01, `${seconds} s`);
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
