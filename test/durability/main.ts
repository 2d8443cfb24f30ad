/**
 * `npm run test:durability -- --rounds N [--minutes M] [--only kill|power|calls|model|journal|full]`:
 * the long form of the proofs. It says how far it is, the worst that was seen, and the seed. After
 * so many minutes no new round of `kill`, `power` and `model` begins.
 */

import { spawnSync } from "node:child_process";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { seed } from "../support/seeded.js";
import { type CallKind, callsProblem, countCalls, failCall, kinds } from "./calls.js";
import { believed, damaged } from "./journal-reader.js";
import { add, killRound, killText } from "./kill.js";
import { Lab } from "./lab.js";
import { inLanes } from "./lanes.js";
import { runModelledWorld } from "./modelled-life.js";
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

const parts: Readonly<Record<string, (rounds: number) => Promise<void>>> = {
  model,
  journal,
  calls,
  full,
  kill,
  power,
};

const { values } = parseArgs({
  options: {
    rounds: { type: "string", default: "50" },
    minutes: { type: "string", default: "Infinity" },
    only: { type: "string" },
  },
});
const untilMs = performance.now() + Number(values.minutes) * 60_000;
const isOver = () => performance.now() >= untilMs;
const rounds = Number(values.rounds);
const wanted = values.only === undefined ? Object.keys(parts) : [values.only];
if (!Number.isSafeInteger(rounds) || rounds < 1 || wanted.some((name) => !(name in parts))) {
  say(`usage: --rounds N [--minutes M] [--only ${Object.keys(parts).join("|")}]`);
  process.exit(2);
}
say(`SEED=${seed}`);
for (const name of wanted) {
  const startedAt = performance.now();
  try {
    await parts[name]?.(rounds);
  } catch (error) {
    say(`${name}: FAILED: ${error instanceof Error ? error.stack : error}`);
    process.exitCode = 1;
  }
  say(`${name}: ${((performance.now() - startedAt) / 1000).toFixed(1)} s`);
}

/** A thousand worlds of some fifty states for each ten rounds. */
async function model(count: number): Promise<void> {
  let states = 0;
  for (let number = 0; number < count * 100 && !isOver(); number++) {
    const run = await runModelledWorld({ plant: "none", seed: (seed + number) >>> 0 });
    if (run.wrong !== undefined) throw new Error(run.wrong);
    states += run.states;
  }
  say(`model: ${states} states that an end might leave, 0 wrong, 0 lost`);
}

async function journal(count: number): Promise<void> {
  for (let number = 0; number < count * 1000; number++) {
    await believed(damaged((seed + number) >>> 0), number % 2 === 0);
  }
  say(`journal: ${count * 1000} damaged journals, 0 pieces believed that were not there`);
}

/** Every call that a download with several checkpoints makes, however many they are. */
async function calls(): Promise<void> {
  const problem = await callsProblem();
  if (problem !== undefined) return say(`calls: skipped: ${problem}`);
  const lab = await Lab.open(2 * MiB + 5, [0.5 * MiB, undefined]);
  try {
    const outcomes = new Map<string, number>();
    for (const kind of Object.keys(kinds) as CallKind[]) {
      for (const isForced of [false, true]) {
        const count = await countCalls(lab, kind, isForced);
        const cases = Array.from({ length: count }, (_, index) => index + 1).flatMap((when) =>
          (["EIO", "ENOSPC"] as const).map((error) => ({ kind, error, when, isForced })),
        );
        const ends = await inLanes(cases.length, 2, async (number) => {
          const failing = cases[number];
          return failing === undefined ? "never came" : failCall(lab, failing);
        });
        for (const end of ends) outcomes.set(end, (outcomes.get(end) ?? 0) + 1);
        say(`calls: ${kind}${isForced ? " with --force" : ""}: ${cases.length} cases`);
      }
    }
    const told = [...outcomes].map(([end, count]) => `${count} ${end}`).join(", ");
    say(`calls: ${told}; 0 wrong, 0 hangs, every one that stopped was resumed`);
  } finally {
    await lab.close();
  }
}

async function full(): Promise<void> {
  const root = join(import.meta.dirname, "../..");
  const args = ["node_modules/mocha/bin/mocha.js", "test/durability/full.test.ts"];
  const { status } = spawnSync(process.execPath, args, { cwd: root, stdio: "inherit" });
  if (status !== 0) throw new Error("see above");
}

async function kill(count: number): Promise<void> {
  const rate = 2.5 * MiB;
  const lab = await Lab.open(16 * MiB + 5, [rate, rate, rate, undefined]);
  try {
    let sum = { kills: 0, resumes: 0, worstAgainBytes: 0 };
    let rounds = 0;
    const tell = () => say(`kill: ${killText(sum)}`);
    await inLanes(count, 3, async (number, lane) => {
      if (isOver()) return;
      rounds++;
      sum = add(sum, await killRound(lab, { seed: (seed + number) >>> 0, lane }));
      if ((number + 1) % 50 === 0) tell();
    });
    say(`kill: ${rounds} rounds: ${killText(sum)}; 0 wrong, all that was journaled was kept`);
  } finally {
    await lab.close();
  }
}

/** Half of the rounds on each file system. */
async function power(count: number): Promise<void> {
  const names: readonly FileSystem[] = ["ext4", "xfs"];
  const lab = await Lab.open(16 * MiB + 5, [2.5 * MiB, 2.5 * MiB, undefined]);
  const disks: LoopDisk[] = [];
  try {
    await inLanes(names.length, names.length, async (_, lane) => {
      const name = names[lane] ?? "ext4";
      const problem = await powerProblem(lab.folder, name);
      if (problem !== undefined) return say(`power: ${name} skipped: ${problem}`);
      const disk = await LoopDisk.make(lab.folder, name);
      disks.push(disk);
      let sum = noCuts;
      while (sum.cuts < Math.ceil(count / 2) && !isOver()) {
        const once = { seed: (seed + sum.cuts) >>> 0, lane };
        sum = addCuts(sum, await powerRound(lab, disk, once));
        if (sum.cuts % 25 === 0) say(`power: ${name}: ${cutsText(sum)}`);
      }
      say(`power: ${name}: ${cutsText(sum)}; 0 wrong, 0 lost, nobody blamed`);
    });
  } finally {
    for (const disk of disks) await disk.remove();
    await lab.close();
  }
}

function say(line: string): void {
  process.stdout.write(`${line}\n`);
}
