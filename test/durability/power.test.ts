import assert from "node:assert/strict";
import { seed } from "../support/seeded.js";
import { Lab } from "./lab.js";
import {
  addCuts,
  cutsText,
  type FileSystem,
  LoopDisk,
  noCuts,
  powerProblem,
  powerRound,
} from "./power.js";

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

  async function cutOften(kind: FileSystem, disk: LoopDisk, lane: number): Promise<void> {
    assert.ok(lab !== undefined);
    let sum = noCuts;
    for (let number = 0; number < rounds; number++) {
      const once = { seed: (seed + number) >>> 0, lane };
      sum = addCuts(sum, await powerRound(lab, disk, once));
    }
    process.stderr.write(`        ${kind}: ${cutsText(sum)}\n`);
    assert.equal(sum.cuts, rounds, kind);
    // Else nothing could have been lost.
    assert.ok(sum.checkpoints > 0, kind);
  }

  for (const kind of kinds) {
    it(`on ${kind} leaves the output absent or right, ${rounds} times, and loses nothing`, async function () {
      if (!disks.has(kind)) skip(this, problems.get(kind));
      running ??= runBoth();
      await (await running).get(kind);
    });

    it(`on ${kind} finds out that a journal is ahead of its bytes, and blames nobody`, async function () {
      const disk = disks.get(kind);
      if (disk === undefined || lab === undefined) return skip(this, problems.get(kind));
      await Promise.allSettled([(await running)?.get(kind)]);
      let ahead = 0;
      for (let number = 0; number < rounds && ahead === 0; number++) {
        const lane = kinds.indexOf(kind);
        const once = { seed: (seed + number) >>> 0, lane, isAhead: true };
        ahead += (await powerRound(lab, disk, once)).ahead;
      }
      assert.equal(ahead, 1, "a cut came between the two");
    });

    it(`on ${kind}, a control that must fail: a client that does not sync its pieces`, async function () {
      const disk = disks.get(kind);
      if (disk === undefined || lab === undefined) return skip(this, problems.get(kind));
      // The other one's rounds go on beside it.
      await Promise.allSettled([(await running)?.get(kind)]);
      let found: unknown;
      for (let number = 0; number < rounds && found === undefined; number++) {
        const lane = kinds.indexOf(kind);
        const once = { seed: (seed + number) >>> 0, lane, isHollow: true };
        found = await powerRound(lab, disk, once).catch((error: unknown) => error);
        if (!(found instanceof Error)) found = undefined;
      }
      assert.match(String(found), /\d+ pieces were durable, and are lost/);
    });
  }
});

function skip(test: Mocha.Context, problem = "it needs root"): never {
  process.stderr.write(`      skipped: ${problem}\n`);
  return test.skip();
}
