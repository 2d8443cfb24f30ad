/** Leases side by side on the streams of one replica: when each gets its next, what a cut takes. */

import assert from "node:assert/strict";
import { Allotment } from "../../src/schedule/allotment.js";
import { Forecast } from "../../src/schedule/forecast.js";
import { LeaseBook } from "../../src/schedule/lease-book.js";
import { leasePieces } from "../../src/schedule/lease-size.js";
import { type Lease, Ledger } from "../../src/schedule/ledger.js";
import { pieceIndex } from "../../src/schedule/pieces.js";
import { RangeSet } from "../../src/schedule/range.js";
import { Scoreboard } from "../../src/schedule/scoreboard.js";
import { A, B } from "./by-hand.js";
import { at, pieceBytes, SmallWorld } from "./small-world.js";

/** Books of a file of so many pieces, all of them in A's region; A has two streams. */
function books(pieces: number) {
  const layout = { size: pieces * pieceBytes, pieceBytes, pieceCount: pieces };
  const ledger = new Ledger(layout);
  const scoreboard = new Scoreboard();
  const book = new LeaseBook(ledger, scoreboard);
  const forecast = new Forecast(ledger, scoreboard, book);
  for (const replica of [A, B]) scoreboard.add(replica, 10);
  scoreboard.allowStreams(A, 2);
  ledger.assign(A, RangeSet.of({ start: 0, end: pieces }));
  const open = (most: number, lane: number, now = 0): Lease => {
    const lease = ledger.open(A, most, lane);
    book.granted(lease, 300_000, now);
    return lease;
  };
  /** Chunks of a quarter of a piece: its first ones tell the latency, the rest the rate. */
  const send = (lease: Lease, now: number) => {
    book.arrived(lease, pieceBytes / 4, now);
    book.awaiting(lease, now);
  };
  const settle = (lease: Lease) => {
    ledger.settle(lease, pieceIndex(lease.next));
    book.settled(lease, pieceBytes);
  };
  return { ledger, scoreboard, book, forecast, open, send, settle };
}

const ranges = (ledger: Ledger) =>
  ledger.leasesOf(A).map(({ lane, next, end }) => `${lane}:${next}-${end}`);

describe("streams of one replica", () => {
  it("each gets its next lease when its own is nearly over, whatever the others have", () => {
    const { forecast, open, send, settle } = books(1000);
    const first = open(100, 0);
    assert.equal(forecast.freeLane(A, 0), undefined, "no rate is known");
    for (let now = 10; now <= 100; now += 10) send(first, now);
    assert.equal(forecast.freeLane(A, 100), 1);
    const second = open(4, 1, 100);
    assert.equal(forecast.freeLane(A, 100), undefined, "it waits for its first byte");
    for (let now = 110; now <= 200; now += 10) send(second, now);
    assert.equal(forecast.freeLane(A, 200), undefined);
    for (let chunk = 10; chunk < 16; chunk++) send(second, 200);
    for (let piece = 0; piece < 4; piece++) settle(second);
    assert.equal(forecast.freeLane(A, 200), 1, "its last bytes are there");
    open(4, 1, 200);
    assert.equal(forecast.freeLane(A, 200), undefined, "two are enough on one stream");
  });

  it("a short lease is followed by others before its first byte, so that no bubble comes", () => {
    const { forecast, book, scoreboard, open, send, settle } = books(1000);
    scoreboard.allowStreams(A, 1);
    const first = open(100, 0);
    for (let now = 10; now <= 100; now++) send(first, now);
    book.close(first, 100);
    const short = Array(8)
      .fill(1)
      .map((pieces, index) => {
        assert.equal(forecast.freeLane(A, 100), 0, `${index} on the stream`);
        return open(pieces, 0, 100);
      });
    assert.equal(forecast.freeLane(A, 100), undefined, "eight are enough on one stream");
    const [next] = short;
    assert.ok(next !== undefined);
    for (let chunk = 0; chunk < 4; chunk++) send(next, 110);
    settle(next);
    book.close(next, 110);
    assert.equal(forecast.freeLane(A, 110), 0);
  });

  it("a long lease, and one that is silent, is followed by none", () => {
    const { forecast, book, scoreboard, open, send } = books(1000);
    scoreboard.allowStreams(A, 1);
    const first = open(100, 0);
    for (let now = 10; now <= 100; now++) send(first, now);
    book.close(first, 100);
    const long = open(100, 0, 100);
    assert.equal(forecast.freeLane(A, 100), undefined);
    book.close(long, 100);
    open(1, 0, 100);
    assert.equal(forecast.freeLane(A, 120), 0);
    assert.equal(forecast.freeLane(A, 300), undefined);
  });

  it("a lease that is asked for ahead says nothing about how far its replica is", () => {
    const { book, scoreboard, open, send } = books(1000);
    const first = open(100, 0);
    for (let now = 10; now <= 100; now += 10) send(first, now);
    const ahead = open(4, 0, 100);
    for (let now = 110; now <= 400; now += 10) send(first, now);
    send(ahead, 410);
    assert.deepEqual([scoreboard.latencyMs(A), scoreboard.worstLatencyMs(A)], [10, 310]);
    book.close(first, 410);
    book.close(ahead, 410);
    send(open(4, 0, 500), 550);
    assert.equal(scoreboard.of(A).latenciesMs.at(-1), 50, "one by itself does");
  });

  it("when one is taken back, its lease runs on, and no other follows", () => {
    const { forecast, book, scoreboard, open, send } = books(1000);
    const [first, second] = [open(100, 0), open(100, 1)];
    for (let now = 10; now <= 100; now += 10) for (const one of [first, second]) send(one, now);
    scoreboard.allowStreams(A, 1);
    book.close(second, 110);
    assert.equal(forecast.freeLane(A, 110), undefined);
    book.close(first, 120);
    assert.equal(forecast.freeLane(A, 120), 0);
  });

  it("a lease on one of two is half as long", () => {
    const { scoreboard, open, send } = books(1000);
    const lease = open(100, 0);
    for (let now = 10; now <= 1000; now += 10) send(lease, now);
    const next = () => leasePieces(scoreboard, { replica: A, pieceBytes, now: 1000 });
    const half = next();
    scoreboard.allowStreams(A, 1);
    assert.ok(Math.abs(next() - 2 * half) <= 1);
  });

  const cuts: readonly (readonly [readonly number[], number, number | undefined, string])[] = [
    [[20, 20], 10, undefined, "0:0-15 1:20-35"],
    [[40, 10], 10, undefined, "0:0-30 1:40-50"],
    [[10, 40], 32, undefined, "0:0-9 1:10-19"],
    [[20, 20], 100, undefined, "0:0-1 1:20-21"],
    [[20, 20], 10, 1, "0:0-10 1:20-40"],
    [[20, 20], 10, 0, "0:0-20 1:20-30"],
  ];
  for (const [leases, count, spare, left] of cuts) {
    const but = spare === undefined ? "" : ` but stream ${spare}`;
    it(`a cut of ${count} from leases of ${leases}${but} leaves ${left}`, () => {
      const { ledger, open } = books(leases.reduce((sum, pieces) => sum + pieces, 0));
      for (const [lane, pieces] of leases.entries()) open(pieces, lane);
      const most = ledger.cuttable(A, spare);
      assert.equal(ledger.cut(A, count, spare).count, Math.min(count, most));
      assert.equal(ranges(ledger).join(" "), left);
    });
  }

  it("one that has nothing left takes half of what another has, when nobody has more", () => {
    const { ledger, scoreboard, book, forecast, open, send } = books(400);
    const lease = open(400, 0);
    for (let now = 10; now <= 1000; now += 10) send(lease, now);
    scoreboard.withdraw(B, "gone");
    const allotment = new Allotment({ ledger, scoreboard, book, forecast }, {});
    const next = allotment.next(A, 1000);
    assert.equal(next?.lane, 1);
    const taken = next.end - next.start + ledger.region(A).count;
    // 25 pieces came already.
    assert.ok(taken > 180 && taken < 195, `${taken} of 400 pieces`);
    assert.deepEqual([lease.end, next.start], [400 - taken, 400 - taken]);
  });

  const paced = [{}, { limitRate: 1e9 }, { windowBytes: 200 * pieceBytes }];
  for (const [index, options] of paced.entries()) {
    const rule = ["by itself", "under a rate limit", "in order"][index];
    it(`${rule}, a download ${index === 0 ? "tries" : "does not try"} a second stream`, () => {
      const world = new SmallWorld(1_500, { A: at(100) }, () => 0.5, options).run(20_000);
      assert.ok(world.scheduler.isDone);
      assert.equal(
        world.decisions.some(({ lease }) => lease.lane > 0),
        index === 0,
      );
    });
  }

  it("one that falls silent while another goes on is late after 10 s, and not before", () => {
    const { book, scoreboard, open, send } = books(100_000);
    const [first, second] = [open(50_000, 0), open(50_000, 1)];
    for (const one of [first, second]) send(one, 10);
    const lates = (now: number) => book.overdue(now).map(({ lease }) => lease.lane);
    for (let now = 20; now < 9_500; now += 10) {
      send(first, now);
      scoreboard.heard(B, now);
      assert.deepEqual(lates(now), []);
    }
    send(first, 10_100);
    assert.deepEqual(lates(10_100), [1]);
  });
});
