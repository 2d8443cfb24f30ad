/** A replica that ends its reads early, though they are right, counts for what it brings. */

import assert from "node:assert/strict";
import type { Fault } from "../../src/schedule/faults.js";
import type { Scheduler } from "../../src/schedule/scheduler.js";
import { A, B, failed, leaseOf, piece, standing, unreachable, w } from "./by-hand.js";
import { at, pieceBytes, type Server, SmallWorld } from "./small-world.js";

const short: Fault = { kind: "short", detail: "half of it" };
const pieces = 458;
const halfOf = (bytes: number) => Math.floor(bytes / 2);
const half = (rate: number, vices: Partial<Server> = {}) => at(rate, { sends: halfOf, ...vices });

function run(servers: Readonly<Record<string, Server>>): SmallWorld {
  const world = new SmallWorld(pieces, servers).run(600_000);
  assert.ok(world.scheduler.isDone);
  return world;
}

describe("schedule, a replica that ends its reads early", () => {
  it("beside a slow, a stalled and a dead one brings nearly everything, and is kept busy", () => {
    const world = run({
      slow: at(1),
      stalled: at(500, { sends: (bytes) => Math.floor(bytes / 8), stalls: true }),
      dead: at(500, { fault: () => unreachable }),
      ender: half(500),
    });
    // It took 448 s while every `short` cost a wait, and every wait a probe of one piece.
    assert.ok(world.now <= 6000, `${world.now} ms`);
    assert.ok(world.score("ender").deliveredBytes > 0.98 * pieces * pieceBytes);
  });

  for (const [rate, latencyMs, most] of [
    [10, 10, 1.1],
    [100, 10, 1.1],
    [1000, 10, 1.5],
    [100, 100, 1.5],
    [100, 300, 1.6],
  ] as const) {
    const what = `half way, of ${rate} pieces a second, ${latencyMs} ms away`;
    it(`${what}, takes ${most} times as long as a whole one, at most`, () => {
      const whole = run({ A: at(30), B: at(rate, { latencyMs }) }).now;
      const early = run({ A: at(30), B: half(rate, { latencyMs }) }).now;
      assert.ok(early <= most * whole, `${early} ms, whole ${whole}`);
    });
  }

  for (const [what, sends] of [
    ["a piece and a half", (bytes: number) => Math.min(bytes, 1.5 * pieceBytes)],
    ["a tenth of a lease", (bytes: number) => Math.floor(bytes / 10)],
    ["a hundredth of a lease", (bytes: number) => Math.floor(bytes / 100)],
    ["nothing", () => 0],
  ] as const) {
    for (const latencyMs of [10, 100, 300]) {
      it(`after ${what}, ${latencyMs} ms away, never costs time, however fast it is`, () => {
        const alone = run({ A: at(30) }).now;
        const world = run({ A: at(30), B: at(1000, { sends, latencyMs }) });
        assert.ok(world.now <= alone, `${world.now} ms, alone ${alone}`);
        const brought = world.score("B").deliveredBytes / pieceBytes;
        const asked = world.score("B").faults.get("short") ?? 0;
        assert.ok(asked <= brought + 12, `${asked} times short for ${brought} pieces`);
      });
    }
  }

  it("after a quarter, far away, is asked for so much that the way there does not count for more", () => {
    const sends = (bytes: number) => Math.floor(bytes / 4);
    const world = new SmallWorld(1500, { A: at(30), B: at(100, { sends, latencyMs: 200 }) });
    // 40 s where leases shrink with the rate, and the rate with the leases; alone it is 50 s.
    assert.ok(world.run(60_000).now <= 25_000, `${world.now} ms`);
  });

  it("weighs by what it brings, the way there and back included", () => {
    const sends = (bytes: number) => Math.min(bytes, 1.5 * pieceBytes);
    const world = new SmallWorld(pieces, { A: at(30), B: at(1000, { sends, latencyMs: 300 }) });
    const rate = world.run(3000).scheduler.scoreboard.rate(B, world.now) / pieceBytes;
    assert.ok(rate < 10, `${rate} pieces a second`);
  });

  it("is not made to wait after a lease that brought a piece; after one that did not, it is", () => {
    const scheduler = w(64, "AB");
    scheduler.decide(0);
    piece(scheduler, leaseOf(scheduler), 10);
    failed(scheduler, A, short, 10);
    assert.equal(standing(scheduler), "good");
    scheduler.decide(10);
    failed(scheduler, A, short, 20);
    assert.equal(standing(scheduler), "backing-off");
    assert.equal(scheduler.scoreboard.of(A).faults.get("short"), 2);
  });

  it("another fault costs a wait, whatever the lease brought", () => {
    const scheduler = w(64, "AB");
    scheduler.decide(0);
    piece(scheduler, leaseOf(scheduler), 10);
    failed(scheduler, A, unreachable, 10);
    assert.equal(standing(scheduler), "backing-off");
  });

  /** Pieces of A's next lease, and how many are asked for. */
  function next(scheduler: Scheduler, now: number): readonly [leased: number, asked: number] {
    const [read] = scheduler.decide(now).filter(({ lease }) => lease.replica === A);
    assert.ok(read?.kind === "read");
    const { lease, bytes } = read;
    return [lease.end - lease.start, (bytes.end - bytes.start) / pieceBytes];
  }

  it("is asked for more than a probe, so that the probe comes whole", () => {
    const scheduler = w(64, "AB");
    scheduler.decide(0);
    failed(scheduler, A, short, 0);
    assert.deepEqual(next(scheduler, 1000), [1, 2]);
    failed(scheduler, A, short, 1000);
    assert.deepEqual(next(scheduler, 2000), [1, 4]);
    piece(scheduler, leaseOf(scheduler), 2010);
    scheduler.ended(leaseOf(scheduler), undefined, 2010);
    assert.equal(scheduler.scoreboard.of(A).broughtShare, 1 / 4);
  });

  it("is tried with the file's end, though it may not come, only when everybody else is out", () => {
    for (const isAlone of [false, true]) {
      const scheduler = w(1, "AB");
      scheduler.decide(0);
      failed(scheduler, A, short, 0);
      if (isAlone) scheduler.faulted(B, { kind: "missing" }, 0);
      else scheduler.faulted(B, { kind: "busy", retryMs: 5000 }, 0);
      assert.equal(scheduler.decide(1000).length, Number(isAlone));
    }
  });

  it("once and never again is soon asked for no more than it is to bring", () => {
    const scheduler = w(4000, "AB");
    scheduler.decide(0);
    piece(scheduler, leaseOf(scheduler), 10);
    failed(scheduler, A, short, 10);
    for (let now = 20; scheduler.scoreboard.of(A).broughtShare < 1; now += 100) {
      assert.ok(now < 1000);
      scheduler.decide(now);
      const lease = leaseOf(scheduler);
      while (lease.next < lease.end) piece(scheduler, lease, now + 50);
      scheduler.ended(lease, undefined, now + 50);
    }
    for (const replica of [A, B]) scheduler.faulted(replica, unreachable, 2000);
    assert.deepEqual(next(scheduler, 4000), [1, 1]);
  });
});
