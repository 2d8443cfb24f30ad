import assert from "node:assert/strict";
import { limits } from "../../src/limits.js";
import { RangeSet } from "../../src/schedule/range.js";
import {
  frontierOf,
  horizonBytes,
  leadPieces,
  windowPieces,
  withinWindow,
} from "../../src/schedule/window.js";
import { replicaId } from "../../src/trust/quorum.js";
import { at, pieceBytes, type Server, SmallWorld } from "./small-world.js";

const p = (...ranges: (readonly [start: number, end: number])[]) =>
  RangeSet.of(...ranges.map(([start, end]) => ({ start, end })));

describe("schedule/window", () => {
  const frontiers: readonly (readonly [settled: RangeSet, frontier: number])[] = [
    [p(), 0],
    [p([0, 3]), 3],
    [p([1, 3]), 0],
    [p([0, 3], [4, 9]), 3],
  ];
  for (const [settled, frontier] of frontiers) {
    it(`with ${JSON.stringify(settled.ranges)} settled the frontier is ${frontier}`, () =>
      assert.equal(frontierOf(settled), frontier));
  }

  const windows: readonly (readonly [bytes: number, piece: number, pieces: number])[] = [
    [100, 10, 10],
    [99, 10, 9],
    [1, 10, 1],
    [0, 10, 1],
  ];
  for (const [bytes, piece, pieces] of windows) {
    it(`a window of ${bytes} bytes holds ${pieces} pieces of ${piece}`, () =>
      assert.equal(windowPieces(bytes, piece), pieces));
  }

  const reaches: readonly (readonly [
    pool: RangeSet,
    pieces: number,
    lead: number,
    free: RangeSet,
  ])[] = [
    [p([0, 100]), 10, 0, p([5, 15])],
    [p([0, 100]), 10, 4, p([9, 15])],
    [p([0, 100]), 10, 10, p()],
    [p([20, 100]), 10, 0, p()],
    [p([5, 7], [12, 20]), 10, 1, p([6, 7], [12, 15])],
  ];
  for (const [pool, pieces, lead, free] of reaches) {
    it(`above 5, ${pieces} less ${lead} of ${JSON.stringify(pool.ranges)}`, () => {
      const within = withinWindow(pool, 5, { pieces, leadPieces: lead });
      assert.deepEqual(within.ranges, free.ranges);
    });
  }

  const leads: readonly (readonly [soon: number[], own: number, lead: number])[] = [
    [[100, 500], 100, 0],
    [[100, 500], 500, 40],
    [[500], 100, 0],
    [[], 100, 0],
  ];
  for (const [soon, own, lead] of leads) {
    it(`after ${own} ms where others take ${soon}, the lead is ${lead}`, () =>
      assert.equal(leadPieces(soon, own, { rate: 1000, pieceBytes: 10 }), lead));
  }

  const silentFrom = (pieces: number, from: number): Server =>
    at(pieces, { rate: (now) => (now < from ? pieces * pieceBytes : 0) });
  const twice = { A: at(100), B: at(100) };
  const table: readonly (readonly [
    what: string,
    servers: Record<string, Server>,
    window: number,
    ms: number,
  ])[] = [
    ["one replica", { A: at(100) }, 64, 10_300],
    ["one replica, one piece at a time", { A: at(100) }, 1, 21_000],
    ["equal replicas", { A: at(100), B: at(100) }, 128, 5300],
    ["one four times as fast", { A: at(400), B: at(100) }, 128, 2300],
    ["one a hundred times slower", { A: at(500), B: at(5) }, 128, 2300],
    ["one too slow for the window", { A: at(500), B: at(1) }, 128, 2300],
    ["one far away", { A: at(200), B: at(200, { latencyMs: 200 }) }, 256, 3000],
    ["two too slow for so small a window", { ...twice, C: at(3), D: at(3) }, 32, 5300],
    ["one slow and far away", { A: at(200), B: at(20, { latencyMs: 200 }) }, 32, 5300],
    ["one falls silent", { A: at(100), B: silentFrom(100, 2500) }, 128, 8200],
    ["one never sends a byte", { A: at(100), B: silentFrom(100, 0) }, 128, 10_600],
  ];
  for (const [what, servers, window, ms] of table) {
    it(`${what}: 1000 pieces in a window of ${window} within ${ms} ms`, () => {
      const windowBytes = window * pieceBytes;
      const world = new SmallWorld(1000, servers, () => 0.5, { windowBytes }).run(60_000);
      assert.ok(world.scheduler.isDone, `${world.scheduler.ledger.settled.count} of 1000`);
      assert.ok(world.now <= ms, `${world.now} ms`);
      assert.ok(world.furthestAhead <= window, `${world.furthestAhead} pieces ahead`);
    });
  }

  it("the frontier piece is hedged before a slower one above it", () => {
    const stuck = (from: number, pieces: number) =>
      at(100, { rate: (now) => (now < from ? 50 : pieces) * pieceBytes });
    const servers = { A: at(100), B: stuck(100, 0.5), C: stuck(300, 0.05) };
    const windowBytes = 64 * pieceBytes;
    const world = new SmallWorld(400, servers, () => 0.5, { windowBytes }).run(60_000);
    const hedges = world.decisions.filter(({ kind, lease }) => kind === "read" && lease.isHedge);
    assert.equal(hedges[0]?.lease.replica, "A");
    const stuckAt = world.decisions.filter(
      ({ lease }) =>
        !lease.isHedge && lease.replica === "B" && lease.next === hedges[0]?.lease.start,
    );
    assert.equal(stuckAt.length, 1, "what B had in progress, lower than what C had");
    assert.ok(world.now < 8000, `${world.now} ms`);
  });
});

describe("leases while a digest follows", () => {
  /** How many settled pieces wait for one before them, at most, in the second half of the file. */
  function mostBehind(servers: Record<string, Server>, pieces: number, isFollowed = true) {
    const world = new SmallWorld(pieces, servers, () => 0.5, { isFollowed });
    const { ledger } = world.scheduler;
    let behind = 0;
    while (!world.scheduler.isDone && world.now < 60_000) {
      world.run(world.now + 10);
      if (ledger.settled.count < pieces / 2) continue;
      behind = Math.max(behind, ledger.settled.count - frontierOf(ledger.settled));
    }
    assert.ok(world.scheduler.isDone);
    return { behind, ms: world.now };
  }
  const horizon = limits.horizonBytes / pieceBytes;
  const fast = { A: at(4000), B: at(4000), C: at(2000) };

  it("stay near the frontier where replicas are fast, and cost nothing", () => {
    const followed = mostBehind(fast, 10_000);
    const free = mostBehind(fast, 10_000, false);
    assert.ok(followed.behind <= horizon, `${followed.behind} pieces`);
    assert.ok(free.behind > 2 * horizon, `${free.behind} pieces without a digest`);
    assert.ok(followed.ms <= 1.02 * free.ms, `${followed.ms} ms, ${free.ms} without a digest`);
  });

  it("are as long as ever where they are slow", () => {
    const slow = { A: at(60), B: at(60) };
    const [followed, free] = [true, false].map((one) => mostBehind(slow, 2000, one));
    assert.equal(followed?.ms, free?.ms);
    assert.ok((followed?.behind ?? 0) > 0.9 * (free?.behind ?? 0), `${followed?.behind} pieces`);
  });

  it("begin there among a crowd, but where somebody wants regions", () => {
    const farthest = (options: { chunks?: number; isFollowed: boolean }, replicas: number) => {
      const names = Array.from({ length: replicas }, (_, index) => `R${index}`);
      const servers = Object.fromEntries(names.map((name) => [name, at(4000)]));
      const world = new SmallWorld(10_000, servers, () => 0.5, options);
      world.scheduler.decide(0);
      return Math.max(...world.scheduler.ledger.leases().map(({ end }) => end));
    };
    const crowd = limits.crowdReplicas;
    const near = crowd * (limits.firstLeaseBytes / pieceBytes);
    assert.equal(farthest({ isFollowed: true }, crowd), near);
    assert.ok(farthest({ isFollowed: true }, crowd - 1) > 8000);
    assert.ok(farthest({ isFollowed: false }, crowd) > 8000);
    assert.ok(farthest({ isFollowed: true, chunks: crowd }, crowd) > 8000);
  });

  it("wait for nobody: a replica that falls silent holds up only what it has", () => {
    const silent = at(4000, { rate: (now) => (now < 500 ? 4000 * pieceBytes : 0) });
    const { ms } = mostBehind({ A: at(4000), B: at(4000), C: silent }, 16_000);
    // 1.83 s by the rates alone, and what C had in progress is noticed while the others go on.
    assert.ok(ms < 2300, `${ms} ms`);
  });

  it("give way to regions once little is left, so that all end together", () => {
    const names = ["A", "B", "C"];
    const servers = { A: at(30), B: at(60), C: at(90) };
    const world = new SmallWorld(3000, servers, () => 0.5, { isFollowed: true });
    const { ledger } = world.scheduler;
    const levelled = limits.levelledBytes / pieceBytes;
    const leasedUntil = () => Math.max(...ledger.leases().map(({ end }) => end));
    while (3000 - ledger.settled.count > 2 * levelled) world.run(world.now + 10);
    assert.ok(leasedUntil() < 3000 - levelled, "nobody is near the end yet");
    while (3000 - ledger.settled.count > 0.6 * levelled) world.run(world.now + 10);
    const inRegions = names.map((name) => ledger.region(replicaId(name)).count);
    assert.ok(inRegions.every((count) => count > 0) && ledger.pool.isEmpty, `${inRegions}`);
  });

  it("take no more towards the end than is there when all is", () => {
    const servers = { A: at(1000), B: at(1000, { latencyMs: 300 }) };
    const world = new SmallWorld(4000, servers, () => 0.5, { isFollowed: true });
    const late = () => world.scheduler.ledger.settled.count > 1000;
    while (!late()) world.run(world.now + 10);
    const from = world.decisions.length;
    world.run(60_000);
    const reads = world.decisions.slice(from).filter(({ kind }) => kind === "read");
    const cut = reads.map((read) => {
      assert.ok(read.kind === "read");
      return Math.ceil(read.bytes.end / pieceBytes) - read.lease.end;
    });
    const sum = cut.reduce((all, one) => all + one, 0);
    assert.ok(sum < 20, `${sum} pieces asked for and cut again`);
  });

  it("are taken back from a slow replica before the others' last round trip", () => {
    const far = at(400, { latencyMs: 150 });
    const alone = mostBehind({ A: far, B: far, C: far }, 4000);
    const beside = mostBehind({ A: far, B: far, C: far, D: at(1.5) }, 4000);
    assert.ok(beside.ms <= 1.02 * alone.ms, `${beside.ms} ms, ${alone.ms} without it`);
  });

  it("are further apart where replicas are far", () => {
    assert.equal(horizonBytes(limits.followRate - 1, 5), undefined);
    assert.equal(horizonBytes(limits.followRate, 5), limits.followRate);
    assert.equal(horizonBytes(100 * limits.followRate, 5), limits.horizonBytes);
    assert.equal(horizonBytes(4 * limits.followRate, 100), 6.4 * limits.followRate);
  });
});
