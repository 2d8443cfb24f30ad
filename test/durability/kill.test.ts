import assert from "node:assert/strict";
import { join } from "node:path";
import { limits } from "../../src/limits.js";
import { seed } from "../support/seeded.js";
import { add, type KillReport, killRound, killText, killWhen } from "./kill.js";
import { Lab } from "./lab.js";
import { inLanes } from "./lanes.js";
import { bugs, plantedProgram } from "./planted.js";

const MiB = 1024 * 1024;
const nothing: KillReport = { kills: 0, resumes: 0, worstAgainBytes: 0 };

describe(`kill -9 at any moment (SEED=${seed})`, function () {
  this.timeout(900_000);
  let lab: Lab;

  describe("of a client that is run again until it is done", () => {
    const lanes = 3;
    before(async () => {
      const rate = 2.5 * MiB;
      lab = await Lab.open(16 * MiB + 5, [rate, rate, rate, undefined]);
    });
    after(() => lab?.close());

    it("leaves the output absent or right in 50 rounds, and keeps all that was journaled", async () => {
      const reports = await inLanes(50, lanes, (number, lane) =>
        killRound(lab, { seed: (seed + number) >>> 0, lane }),
      );
      const sum = reports.reduce(add, nothing);
      process.stderr.write(`        ${killText(sum)}\n`);
      assert.ok(sum.resumes > 0);
    });
  });

  describe("late in a slow download", () => {
    const size = 36 * MiB;
    const rate = 6 * MiB;
    /** What came since the last append, and half a second more for a very slow disk. */
    const boundBytes = rate * (limits.journalMs / 1000 + 0.5);
    before(async () => {
      lab = await Lab.open(size, [rate / 3]);
    });
    after(() => lab?.close());

    it("costs what came since the journal was last appended to, whenever it was synced", async () => {
      const { worstAgainBytes } = await killWhen(lab, { doneBytes: 30 * MiB });
      assert.ok(worstAgainBytes <= boundBytes, `${worstAgainBytes} bytes are fetched again`);
    });

    it("a control that must fail: a client that journals nothing", async () => {
      const program = plantedProgram(join(lab.folder, "forgetful"), bugs.forgetful);
      const { worstAgainBytes } = await killWhen(lab, { doneBytes: 30 * MiB + 1, program });
      assert.ok(worstAgainBytes > boundBytes, `${worstAgainBytes} bytes are fetched again`);
    });

    it("a control that must fail: a client that writes under the output's name", async () => {
      const program = plantedProgram(join(lab.folder, "early"), bugs.early);
      const planted = killWhen(lab, { doneBytes: MiB, program });
      await assert.rejects(planted, /a wrong file bears the output's name/);
    });
  });
});
