import assert from "node:assert/strict";
import { join } from "node:path";
import { seed } from "../support/seeded.js";
import { Lab } from "./lab.js";
import { bugs, plantedProgram } from "./planted.js";
import { addCuts, type FileSystem, LoopDisk, powerProblem, powerRound } from "./power.js";

const MiB = 1024 * 1024;
const rounds = 25;
const kinds: readonly FileSystem[] = ["ext4", "xfs"];

describe(`a power cut at any moment (SEED=${seed})`, function () {
  this.timeout(900_000);
  let lab: Lab | undefined;
  const disks = new Map<FileSystem, LoopDisk>();
  const problems = new Map<FileSystem, string>();

  before(async () => {
    if (process.getuid?.() !== 0) return;
    lab = await Lab.open(16 * MiB + 5, [2.5 * MiB, 2.5 * MiB, undefined]);
    for (const kind of kinds) {
      const problem = await powerProblem(lab.folder, kind);
      if (problem !== undefined) problems.set(kind, problem);
      else disks.set(kind, await LoopDisk.make(lab.folder, kind));
    }
  });
  after(async () => {
    for (const disk of disks.values()) await disk.remove();
    await lab?.close();
  });

  /** Both at once: each waits most of the time. */
  let running: Promise<Map<FileSystem, Promise<void>>> | undefined;
  const runBoth = async () =>
    new Map(
      [...disks].map(([kind, disk], lane) => {
        const run = cutOften(kind, disk, lane);
        run.catch(() => {});
        return [kind, run] as const;
      }),
    );

  /** Measured for each kind before its first cut: a slow machine lives longer. */
  const lives = new Map<FileSystem, number>();

  async function cutOften(kind: FileSystem, disk: LoopDisk, lane: number): Promise<void> {
    assert.ok(lab !== undefined);
    const lifeMs = await lab.lifeMs(join(disk.mountpoint, "undisturbed.bin"), lane);
    lives.set(kind, lifeMs);
    let sum = { cuts: 0, afterTheEnd: 0, resumes: 0, worstAgainBytes: 0 };
    for (let number = 0; number < rounds; number++) {
      const once = { seed: (seed + number) >>> 0, lane, lifeMs };
      sum = addCuts(sum, await powerRound(lab, disk, once));
    }
    const worst = (sum.worstAgainBytes / MiB).toFixed(1);
    const kept = `${sum.resumes} with pieces kept, at worst ${worst} MiB again`;
    process.stderr.write(
      `        ${kind}: ${sum.cuts} cuts, ${sum.afterTheEnd} after exit 0, ${kept}\n`,
    );
    assert.equal(sum.cuts, rounds, kind);
  }

  for (const kind of kinds) {
    it(`on ${kind} leaves the output absent or right, ${rounds} times, and loses nothing`, async function () {
      if (!disks.has(kind)) skip(this, problems.get(kind));
      running ??= runBoth();
      await (await running).get(kind);
    });

    it(`on ${kind}, a control that must fail: a client that does not sync its pieces`, async function () {
      const disk = disks.get(kind);
      if (disk === undefined || lab === undefined) return skip(this, problems.get(kind));
      // The other one's rounds go on beside it.
      await Promise.allSettled([(await running)?.get(kind)]);
      const program = plantedProgram(join(lab.folder, `unsynced-${kind}`), bugs.unsynced);
      const lifeMs = lives.get(kind) ?? 3_000;
      let found: unknown;
      for (let number = 0; number < rounds && found === undefined; number++) {
        const lane = kinds.indexOf(kind);
        const once = { seed: (seed + number) >>> 0, lane, lifeMs, program };
        found = await powerRound(lab, disk, once).catch((error: unknown) => error);
        if (!(found instanceof Error)) found = undefined;
      }
      assert.match(String(found), /the journal claims \d+ pieces without bytes|wrong file/);
    });
  }
});

function skip(test: Mocha.Context, problem = "it needs root"): never {
  process.stderr.write(`      skipped: ${problem}\n`);
  return test.skip();
}
