import assert from "node:assert/strict";
import { join } from "node:path";
import { seed } from "../support/seeded.js";
import { Lab } from "./lab.js";
import { bugs, plantedProgram } from "./planted.js";
import { type FileSystem, LoopDisk, powerProblem, powerRound } from "./power.js";

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

    async function cut(number: number, options: { program?: string; isAtEnd: boolean }) {
      assert.ok(lab !== undefined && disk !== undefined);
      // Most of a short life is the start: the moments are drawn from all of it.
      const round = { seed: (seed + number) >>> 0, lane: 0, lifeMs: 600, ...options };
      return powerRound(lab, disk, round);
    }

    it("right after exit 0, it is there and right", async () => {
      for (let number = 0; number < rounds; number++) {
        assert.equal((await cut(number, { isAtEnd: true })).afterTheEnd, 1);
      }
    });

    it("at any moment, it is absent or right", async () => {
      for (let number = 0; number < rounds; number++) await cut(number, { isAtEnd: false });
    });

    for (const bug of ["hollow", "nameless"] as const) {
      it(`finds a client that is ${bug}`, async () => {
        assert.ok(lab !== undefined);
        const program = plantedProgram(join(lab.folder, bug), bugs[bug]);
        await assert.rejects(cut(0, { program, isAtEnd: true }), /SEED=\d+: (a wrong|exit 0)/);
      });
    }
  });
}
