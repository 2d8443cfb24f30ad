/**
 * `npm run bench:schedule`: the production scheduler and transfer loop in the named worlds, in
 * virtual time, each against the computed ideal and beside four baselines. `-- --random N` adds N
 * random worlds (of `--size` MiB), `-- --company` all of them with one more replica, slow or silent.
 * JSON goes into the folder that `--keep` names. Ends with 1 when a world misses its aim.
 * With `--real`: the same worlds between real processes (`real-sockets.ts`).
 */

import { parseArgs } from "node:util";
import { baselines, runBaseline } from "./baselines.js";
import { companyLines, companyText } from "./company.js";
import { idealSeconds } from "./ideal.js";
import { digestLengthsOnly } from "./length-digests.js";
import { randomScore, randomText } from "./random-worlds.js";
import { keep, say } from "./report.js";
import { type Outcome, runQuorate } from "./run-quorate.js";
import { type ScheduleWorld, scheduleWorlds } from "./schedule-worlds.js";

/** How one world went. */
export interface Line {
  readonly world: string;
  readonly idealSeconds: number;
  readonly ours: Outcome;
  /** Shares of the ideal, in percent. */
  readonly share: number;
  readonly aim: number;
  readonly baselines: Readonly<Record<string, number>>;
}

async function measure(world: ScheduleWorld): Promise<Line> {
  const ideal = idealSeconds(
    world.size,
    world.replicas,
    (world.cap ?? Number.POSITIVE_INFINITY) * 1e6,
  );
  const ours = await runQuorate(world);
  const shares: Record<string, number> = {};
  for (const [name, strategy] of Object.entries(baselines)) {
    shares[name] = (100 * ideal) / (await runBaseline(strategy, world));
  }
  const share = (100 * ideal) / ours.seconds;
  const { name, aim } = world;
  return { world: name, idealSeconds: ideal, ours, share, aim: 100 * aim, baselines: shares };
}

function lineText({
  world,
  idealSeconds: ideal,
  ours,
  share,
  aim,
  baselines: others,
}: Line): string {
  const percent = (value: number) => value.toFixed(1).padStart(6);
  const cells = [
    world.padEnd(14),
    ideal.toFixed(2).padStart(7),
    ours.seconds.toFixed(2).padStart(7),
    percent(share),
    percent(aim),
    percent((100 * ours.wasted) / (ours.size || 1)),
    ...Object.values(others).map((value) => percent(value).padStart(15)),
  ];
  return cells.join("  ");
}

if (process.argv.includes("--real")) {
  await (await import("./real-sockets.js")).runReal();
  process.exit();
}

digestLengthsOnly();
const { values } = parseArgs({
  options: {
    random: { type: "string" },
    size: { type: "string" },
    company: { type: "boolean", default: false },
    keep: { type: "string" },
  },
});

const head = ["world".padEnd(14), "ideal s", " ours s", "ours %", " aim %", "waste%"];
say([...head, ...Object.keys(baselines).map((name) => name.padStart(15))].join("  "));
const lines: Line[] = [];
for (const world of scheduleWorlds) {
  const line = await measure(world);
  lines.push(line);
  say(lineText(line));
}
keep("schedule.json", lines, values.keep);
if (lines.some(({ share, aim }) => share < aim)) {
  say("some worlds miss their aim");
  process.exitCode = 1;
}
if (values.company) {
  const company = await companyLines();
  say(companyText(company));
  keep("schedule-company.json", company, values.keep);
}
if (values.random !== undefined) {
  const megabytes = values.size === undefined ? undefined : Number(values.size);
  const hasCompany = values.company;
  const score = await randomScore(Number(values.random), { megabytes, hasCompany });
  say(randomText(score));
  keep("schedule-random.json", score, values.keep);
}
