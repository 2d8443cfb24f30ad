import assert from "node:assert/strict";
import { join } from "node:path";
import { Seeded, seed } from "../support/seeded.js";
import { Lab } from "./lab.js";
import { bugs, plantedProgram } from "./planted.js";
import { atTheEnd, type FileSystem, LoopDisk, powerProblem, powerRound } from "./power.js";

const rounds = 6;

for (const kind of ["ext4", "xfs"] satisfies FileSystem[]) {
  describe(`a power cut and a file of one piece on ${kind} (SEED=${seed})`, function () {
    this.timeout(300_000);
    let lab: Lab | undefined;
    let disk: LoopDisk | undefined;

    before(async function () {
      lab = await Lab.open(60_000, [undefined]);
      const problem = await powerProblem(lab.folder, kind);
      if (problem === undefined) {
        disk = await LoopDisk.make(lab.folder, kind);
        return;
      }
      process.stderr.write(`      skipped: ${problem}\n`);
      this.skip();
    });
    after(async () => {
      await disk?.remove();
      await lab?.close();
    });

    async function cut(number: number, options: { program?: string; afterMs: number }) {
      assert.ok(lab !== undefined && disk !== undefined);
      return powerRound(lab, disk, { seed: (seed + number) >>> 0, lane: 0, ...options });
    }

    it("right after exit 0, it is there and right", async () => {
      for (let number = 0; number < rounds; number++) {
        assert.equal((await cut(number, { afterMs: atTheEnd })).afterTheEnd, 1);
      }
    });

    it("at any moment, it is absent or right", async () => {
      // Most of a short life is the start: the moments are drawn from all of it.
      const random = new Seeded(seed);
      for (let number = 0; number < rounds; number++) {
        await cut(number, { afterMs: random.below(600) });
      }
    });

    for (const bug of ["hollow", "nameless"] as const) {
      it(`finds a client that is ${bug}`, async () => {
        assert.ok(lab !== undefined);
        const program = plantedProgram(join(lab.folder, bug), bugs[bug]);
        await assert.rejects(cut(0, { program, afterMs: atTheEnd }), /SEED=\d+: (a wrong|exit 0)/);
      });
    }
  });
}
