import assert from "node:assert/strict";
import { Forecast } from "../../src/schedule/forecast.js";
import { LeaseBook } from "../../src/schedule/lease-book.js";
import { Ledger } from "../../src/schedule/ledger.js";
import { RangeSet } from "../../src/schedule/range.js";
import { Regions } from "../../src/schedule/regions.js";
import { Scoreboard } from "../../src/schedule/scoreboard.js";
import { replicaId } from "../../src/trust/quorum.js";
import { at, pieceBytes, SmallWorld } from "./small-world.js";

const [A, B] = [replicaId("A"), replicaId("B")];

describe("schedule/regions", () => {
  it("regions follow the rates once everybody's is known", () => {
    const world = new SmallWorld(4000, { A: at(300), B: at(100) }).run(500);
    const { ledger } = world.scheduler;
    const left = (replica: typeof A) => {
      const open = ledger.leasesOf(replica).reduce((sum, { next, end }) => sum + end - next, 0);
      return open + ledger.region(replica).count;
    };
    const ratio = left(A) / left(B);
    assert.ok(ratio > 2.7 && ratio < 3.3, `${left(A)} and ${left(B)} pieces left`);
  });

  it("equal rates leave every region as it was", () => {
    const world = new SmallWorld(4000, { A: at(100), B: at(100) }).run(500);
    const { ledger } = world.scheduler;
    const end = (replica: typeof A) => ledger.region(replica).ranges.map((range) => range.end);
    assert.deepEqual([end(A), end(B)], [[2000], [4000]]);
  });

  it("with --chunks the regions stay those that were asked for", () => {
    const servers = { A: at(300), B: at(100) };
    const world = new SmallWorld(4000, servers, () => 0.5, { chunks: 2 }).run(500);
    assert.equal(world.scheduler.ledger.region(A).ranges.at(-1)?.end, 2000);
  });

  it("what a replica leaves behind is divided among all the others at once", () => {
    const far = at(100, { latencyMs: 150 });
    const servers = { A: far, B: far, C: far, D: far };
    const without = new SmallWorld(1000, servers).run(60_000);
    const dead = at(100, { rate: () => 0 });
    const world = new SmallWorld(1000, { ...servers, E: dead }).run(60_000);
    assert.ok(world.now <= 1.08 * without.now, `${world.now} against ${without.now} ms`);
  });

  it("of a pool smaller than they are many, who would have it first takes it", () => {
    const layout = { size: pieceBytes, pieceBytes, pieceCount: 1 };
    const [ledger, scoreboard] = [new Ledger(layout), new Scoreboard()];
    const book = new LeaseBook(ledger, scoreboard);
    const forecast = new Forecast(ledger, scoreboard, book);
    const regions = new Regions({ ledger, scoreboard, book, forecast }, undefined);
    const names = [A, B, replicaId("C"), replicaId("D")];
    for (const [index, name] of names.entries()) scoreboard.add(name, 8 - index);
    const fair = names.map((name) => regions.fairPieces(name, names, 0));
    assert.deepEqual(fair, [0, 0, 0, 1]);
  });

  it("towards the end, one that fell silent gives back what it holds; one that sends does not", () => {
    const left = (silentFrom: number) => {
      const layout = { size: 175 * pieceBytes, pieceBytes, pieceCount: 175 };
      const [ledger, scoreboard] = [new Ledger(layout), new Scoreboard()];
      const book = new LeaseBook(ledger, scoreboard);
      const forecast = new Forecast(ledger, scoreboard, book);
      const regions = new Regions({ ledger, scoreboard, book, forecast }, undefined);
      const leases = [A, B].map((replica, index) => {
        scoreboard.add(replica, 10);
        ledger.assign(replica, RangeSet.of({ start: 85 * index, end: 85 * index + 85 }));
        const lease = ledger.open(replica, 85);
        book.granted(lease, 300_000, 0);
        return lease;
      });
      for (let now = 10; now <= 3000; now += 10) {
        for (const lease of leases) {
          if (lease.replica === A && now > silentFrom) continue;
          book.arrived(lease, pieceBytes / 4, now);
          book.awaiting(lease, now);
        }
      }
      regions.fairPieces(B, [A, B], 3000);
      return ledger.cuttable(A);
    };
    assert.equal(left(3000), 84);
    assert.equal(left(2300), 72);
  });

  it("one that turns out slow costs three others nothing", () => {
    const without = new SmallWorld(3000, { A: at(100), B: at(100), C: at(100) }).run(60_000);
    for (const pieces of [0.1, 1, 10]) {
      const servers = { A: at(100), B: at(100), C: at(100), D: at(pieces) };
      const world = new SmallWorld(3000, servers).run(60_000);
      assert.ok(world.now <= 1.02 * without.now, `${world.now} against ${without.now} ms`);
      assert.ok(world.scheduler.ledger.layout.size > 2999 * pieceBytes);
    }
  });
});
