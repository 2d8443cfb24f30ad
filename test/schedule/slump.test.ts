import assert from "node:assert/strict";
import { limits } from "../../src/limits.js";
import { type Pace, SlumpWatch } from "../../src/schedule/slump.js";
import { replicaId } from "../../src/trust/quorum.js";
import { at, pieceBytes, SmallWorld } from "./small-world.js";

/** `A24` has 24 % of its usual pace. */
const paces = (text: string): Pace[] =>
  text.split(" ").map((one) => {
    const replica = replicaId(one.slice(0, 1));
    return { replica, recent: Number(one.slice(1)) * 100, usual: 10_000 };
  });

describe("schedule/slump", () => {
  const table: readonly (readonly [what: string, paces: string[], told: string])[] = [
    ["far below for so long", ["A24 B99", "A24 B99", "A24 B99", "A24 B99"], "- - - A"],
    ["just above", ["A26 B99", "A26 B99", "A26 B99", "A26 B99"], "- - - -"],
    ["a recovery in between", ["A9 B99", "A9 B99", "A50 B99", "A9 B99"], "- - - -"],
    ["alone", ["A1", "A1", "A1", "A1"], "- - - -"],
    ["all together", ["A9 B9 C9", "A9 B9 C9", "A9 B9 C9", "A9 B9 C9"], "- - - -"],
    ["most together", ["A9 B9 C99", "A9 B9 C99", "A9 B9 C99", "A9 B9 C99"], "- - - -"],
    ["again as long", Array(7).fill("A9 B99"), "- - - A - - A"],
  ];
  for (const [what, steps, told] of table) {
    it(`each second, ${what}: ${told}`, () => {
      const watch = new SlumpWatch();
      const tellings = steps.map((step, index) => {
        return watch.update(paces(step), (index * limits.slumpMs) / 3).join("") || "-";
      });
      assert.equal(tellings.join(" "), told);
    });
  }

  it("our own stall is forgotten", () => {
    const watch = new SlumpWatch();
    watch.update(paces("A9 B99"), 0);
    watch.forget();
    assert.deepEqual(watch.update(paces("A9 B99"), limits.slumpMs), []);
  });

  const slumps = (to: number) => ({
    rate: (now: number) => (now < 4000 ? 100 : to) * pieceBytes,
  });

  it("a replica that slumps gives its region up, without a fault", () => {
    const servers = { A: at(100), B: at(100), C: at(100, slumps(10)) };
    const world = new SmallWorld(9000, servers).run(7600);
    const { ledger } = world.scheduler;
    const { replica, standing, faults } = world.score("C");
    const left = ledger.leasesOf(replica).reduce((sum, { next, end }) => sum + end - next, 0);
    // Of 7,000 pieces that are left, at a tenth of the others' pace, its part is 333.
    assert.ok(ledger.region(replica).count + left <= 400, `${ledger.region(replica).count}`);
    assert.deepEqual([standing, faults.size], ["good", 0]);
    assert.deepEqual(world.faults, []);
  });

  it("when all slow down together, everybody keeps its region", () => {
    const servers = { A: at(100, slumps(10)), B: at(100, slumps(10)), C: at(100, slumps(10)) };
    const world = new SmallWorld(9000, servers).run(9000);
    assert.ok(world.scheduler.ledger.pool.isEmpty);
    assert.ok(world.scheduler.ledger.region(replicaId("C")).count > 1500);
  });
});
