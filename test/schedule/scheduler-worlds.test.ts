import assert from "node:assert/strict";
import type { Fault } from "../../src/schedule/faults.js";
import { Seeded, seed } from "../support/seeded.js";
import { at, pieceBytes, type Server, SmallWorld } from "./small-world.js";

const unreachable: Fault = { kind: "unreachable", detail: "no route" };
const gone = (from = 0) => ({ fault: (now: number) => (now >= from ? unreachable : undefined) });
/** Delivers so many pieces a second until it falls silent. */
const silentFrom = (pieces: number, from: number): Server =>
  at(pieces, { rate: (now) => (now < from ? pieces * pieceBytes : 0) });

const size = (pieces: number) => pieces * pieceBytes - 7;

function deliveredIsSize(world: SmallWorld, pieces: number, what = ""): void {
  const scores = world.scheduler.scoreboard.all();
  const delivered = scores.reduce((sum, { deliveredBytes }) => sum + deliveredBytes, 0);
  assert.ok(world.scheduler.isDone, `${what}: done after ${world.now} ms`);
  assert.equal(delivered, size(pieces), `${what}: every piece counts once`);
}

describe("schedule/scheduler in small worlds", () => {
  const table: readonly (readonly [
    what: string,
    Record<string, Server>,
    pieces: number,
    ms: number,
  ])[] = [
    ["one replica alone", { A: at(100) }, 1000, 10_300],
    ["equal replicas", { A: at(100), B: at(100) }, 1000, 5300],
    ["one four times as fast", { A: at(400), B: at(100) }, 1000, 2250],
    ["three of different speed", { A: at(300), B: at(150), C: at(50) }, 1000, 2250],
    ["one hundred times slower", { A: at(500), B: at(5) }, 1000, 2250],
    ["one that never answers", { A: at(100), B: at(100, gone()) }, 1000, 10_500],
    ["one that dies midway", { A: at(100), B: at(100, gone(2500)) }, 1000, 8000],
    ["one that falls silent midway", { A: at(100), B: silentFrom(100, 2500) }, 1000, 8000],
    ["one that never sends a byte", { A: at(100), B: silentFrom(100, 0) }, 1000, 10_500],
    [
      "one that is silent from the start, and has the only piece",
      { A: silentFrom(9, 0), B: at(100) },
      1,
      300,
    ],
    ["more replicas than pieces", { A: at(10), B: at(10), C: at(10) }, 2, 250],
  ];
  for (const [what, servers, pieces, ms] of table) {
    it(`${what}: ${pieces} pieces within ${ms} ms`, () => {
      const world = new SmallWorld(pieces, servers).run(60_000);
      deliveredIsSize(world, pieces);
      assert.ok(world.now <= ms, `${world.now} ms`);
    });
  }

  it("equal replicas deliver equal parts", () => {
    const world = new SmallWorld(1000, { A: at(100), B: at(100) }).run(60_000);
    const half = size(1000) / 2;
    for (const name of ["A", "B"]) {
      assert.ok(Math.abs(world.score(name).deliveredBytes - half) < 0.02 * half, name);
    }
    assert.deepEqual(world.faults, []);
  });

  it("steady worlds waste next to nothing", () => {
    const world = new SmallWorld(1000, { A: at(300), B: at(150), C: at(50) }).run(60_000);
    const wasted = world.scheduler.scoreboard.all().map(({ wastedBytes }) => wastedBytes);
    assert.ok(wasted.reduce((sum, bytes) => sum + bytes, 0) <= 0.01 * size(1000), `${wasted}`);
  });

  it("a stalled replica is called late, and never banned", () => {
    const world = new SmallWorld(1000, { A: at(100), B: silentFrom(100, 1000) }).run(60_000);
    deliveredIsSize(world, 1000);
    assert.ok(world.faults.length > 0 && world.faults.every((fault) => fault === "B late"));
    assert.notEqual(world.score("B").standing, "banned");
  });

  it("a piece stuck in a slow replica is fetched a second time at the end", () => {
    const slow = at(100, { rate: (now) => (now < 200 ? 50 * pieceBytes : 0.02 * pieceBytes) });
    const world = new SmallWorld(40, { A: at(50), B: slow }).run(60_000);
    deliveredIsSize(world, 40);
    assert.ok(world.decisions.some(({ kind, lease }) => kind === "read" && lease.isHedge));
    assert.ok(world.now < 1500, `${world.now} ms`);
  });

  it("five that fall silent within a piece each cost no more hedges than came twice", () => {
    const silent = at(0, { rate: (now) => (now < 225 ? 20 * pieceBytes : 0) });
    const servers = { A: at(50), B: silent, C: silent, D: silent, E: silent, F: silent };
    const world = new SmallWorld(60, servers).run(60_000);
    deliveredIsSize(world, 60);
    assert.deepEqual(world.faults, [], "nobody waits for a clock to run out");
    const { hedgedPieces } = world.scheduler.ledger;
    assert.ok(hedgedPieces > 0 && hedgedPieces < 4, `${hedgedPieces} pieces came twice`);
  });

  it("a piece is hedged by one replica at a time, however many are idle", () => {
    const stuck = at(100, { rate: (now) => (now < 200 ? 50 * pieceBytes : 0.02 * pieceBytes) });
    const servers = { A: at(10), B: stuck, C: at(10), D: at(10) };
    const world = new SmallWorld(40, servers).run(60_000);
    deliveredIsSize(world, 40);
    const hedged = world.decisions.flatMap(({ kind, lease }) =>
      kind === "read" && lease.isHedge ? [lease.start] : [],
    );
    assert.ok(hedged.length > 0);
    assert.equal(new Set(hedged).size, hedged.length, `${hedged}`);
  });

  it("a corrupt replica is banned, its work goes to the others, and nothing else is banned", () => {
    const liar = at(100, { isCorrupt: (piece) => piece % 3 === 0 });
    const world = new SmallWorld(600, { A: at(100), B: liar, C: at(100) }).run(60_000);
    deliveredIsSize(world, 600);
    const standings = ["A", "B", "C"].map((name) => world.score(name).standing);
    assert.deepEqual(standings, ["good", "banned", "good"]);
    assert.ok(world.score("B").evidence?.piece !== undefined);
  });

  it("a lone corrupt replica is banned after several times, and then nobody is left", () => {
    const world = new SmallWorld(50, { A: at(100, { isCorrupt: (piece) => piece === 20 }) });
    world.run(60_000);
    assert.ok(world.scheduler.isHopeless && !world.scheduler.isDone);
    assert.equal(world.score("A").standing, "banned");
    assert.equal(world.scheduler.ledger.settled.count, 20);
    assert.deepEqual(world.faults, ["A corrupt", "A corrupt", "A corrupt"]);
  });

  it("a lone replica whose piece comes right the second time is not banned", () => {
    let times = 0;
    const flip = at(100, { isCorrupt: (piece) => piece === 20 && times++ === 0 });
    const world = new SmallWorld(50, { A: flip }).run(60_000);
    deliveredIsSize(world, 50);
    assert.equal(world.score("A").standing, "good");
  });

  it("when everybody is gone they are tried again at times: they may come back", () => {
    const world = new SmallWorld(1000, { A: at(100, gone(500)), B: at(100, gone(900)) });
    world.run(120_000);
    assert.deepEqual(
      [world.score("A").standing, world.score("B").standing],
      ["withdrawn", "withdrawn"],
    );
    assert.ok(!world.scheduler.isHopeless);
    const probes = world.score("A").faults.get("unreachable") ?? 0;
    assert.ok(probes > 10 && probes < 40, `${probes} in two minutes`);
  });

  it("a replica that comes back after a minute of trouble may go on", () => {
    const fault = (now: number) => (now > 500 && now < 1000 ? unreachable : undefined);
    const world = new SmallWorld(500, { A: at(100), B: at(100, { fault }) }).run(60_000);
    deliveredIsSize(world, 500);
    assert.equal(world.score("B").standing, "good");
    assert.ok(world.score("B").deliveredBytes > 100 * pieceBytes);
  });

  function randomServer(random: Seeded): Server {
    const pieces = 5 + random.below(200);
    const from = random.below(5000);
    const vices: readonly Server[] = [
      at(pieces),
      at(pieces, { latencyMs: random.below(200) }),
      at(pieces, gone(from)),
      silentFrom(pieces, from),
      at(pieces, { isCorrupt: (piece) => piece % 17 === from % 17 }),
      at(pieces, {
        fault: (now) => (now % 3000 < 300 ? { kind: "busy", retryMs: 200 } : undefined),
      }),
      at(pieces, {
        rate: (now) => (Math.floor(now / 1000) % 2 === 0 ? 2 : 0.1) * pieces * pieceBytes,
      }),
    ];
    return random.pick(vices) ?? at(pieces);
  }

  it("one honest replica is enough, whatever the others do, and it is never blamed", () => {
    for (let round = 0; round < 60; round++) {
      const what = `SEED=${(seed + round) >>> 0}`;
      const random = new Seeded(seed + round);
      const names = ["B", "C", "D"].slice(random.below(4));
      const others = Object.fromEntries(names.map((name) => [name, randomServer(random)]));
      const servers = { honest: at(20 + random.below(100)), ...others };
      const world = new SmallWorld(300, servers, () => random.next()).run(120_000);
      deliveredIsSize(world, 300, what);
      assert.equal(world.score("honest").standing, "good", what);
      assert.equal(world.score("honest").faults.size, 0, what);
    }
  });
});
