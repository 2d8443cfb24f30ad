/**
 * `npm run bench:schedule`: the production scheduler and transfer loop in the named worlds, in
 * virtual time, each against the computed ideal and beside four baselines. With `--real`: the same
 * worlds between real processes (`real-sockets.ts`).
 */

import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { Checkpoint } from "../src/download/checkpoint.js";
import { Deliveries } from "../src/download/deliveries.js";
import { Support } from "../src/download/support.js";
import { transfer } from "../src/download/transfer.js";
import { RangeSet } from "../src/schedule/range.js";
import { Scheduler } from "../src/schedule/scheduler.js";
import { manifestOf } from "../src/trust/manifest.js";
import { decide, replicaId } from "../src/trust/quorum.js";
import { Link } from "../test/simulation/link.js";
import { nullPartial } from "../test/simulation/null-partial.js";
import { simulatedReplica } from "../test/simulation/simulated-replica.js";
import { VirtualClock } from "../test/simulation/virtual-clock.js";
import { manifestOfBytes, memoryReplica } from "../test/support/memory-replica.js";
import { baselines, runBaseline } from "./baselines.js";
import { idealSeconds } from "./ideal.js";
import { type ScheduleWorld, scheduleWorlds } from "./schedule-worlds.js";

const chunkBytes = 64 * 1024;

interface Outcome {
  readonly seconds: number;
  /** Bytes that came in vain. */
  readonly wasted: number;
  readonly size: number;
}

const contents = new Map<number, { bytes: Uint8Array; honest: ReturnType<typeof memoryReplica> }>();

function contentOf(size: number) {
  const known = contents.get(size);
  if (known !== undefined) return known;
  const bytes = Buffer.alloc(size);
  const made = { bytes, honest: memoryReplica({ "file.bin": bytes }) };
  contents.set(size, made);
  return made;
}

async function runQuorate(world: ScheduleWorld): Promise<Outcome> {
  const clock = new VirtualClock();
  const { bytes: content, honest } = contentOf(world.size);
  const cap = world.cap;
  const clientLink = cap === undefined ? undefined : new Link(() => cap * 1e6);
  const replicas = new Map(
    world.replicas.map(({ rateAt, latencyMs }, index) => {
      const behaviour = { latencyMs, link: new Link(rateAt), clientLink, chunkBytes, content };
      return [replicaId(`r${index}`), simulatedReplica(honest, behaviour, clock)] as const;
    }),
  );
  const { size, digest, root, pieces: digests } = manifestOfBytes(content);
  const votes = [...replicas.keys()].map((replica) => {
    return { replica, answer: { kind: "claimed", claim: { size, digest, root } } } as const;
  });
  const agreement = decide(votes, { kind: "majority" });
  if (!agreement.reached) throw new Error("equal claims agree");
  let seed = 1;
  const random = () => {
    seed = (seed * 1103515245 + 12345) % 2 ** 31;
    return seed / 2 ** 31;
  };
  const scheduler = new Scheduler(manifestOf(agreement.manifest), {
    verified: RangeSet.empty,
    random,
  });
  for (const [index, id] of [...replicas.keys()].entries()) {
    scheduler.join(id, world.replicas[index]?.latencyMs);
  }
  const partial = nullPartial();
  await transfer({
    ...{ name: "file.bin", agreement, replicas, lateVotes: [], scheduler, digests, partial },
    ...{ checkpoint: new Checkpoint(partial, 0), clock, bucket: undefined, doubts: undefined },
    ...{ support: new Support(agreement), deliveries: new Deliveries(agreement.manifest, false) },
    ...{ intervalMs: 1e9, timeoutMs: 600_000, signal: new AbortController().signal },
    onEvent: () => {},
  });
  const wasted = scheduler.scoreboard.all().reduce((sum, score) => sum + score.wastedBytes, 0);
  return { seconds: clock.now() / 1000, wasted, size: world.size };
}

interface Line {
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

const head = ["world".padEnd(14), "ideal s", " ours s", "ours %", " aim %", "waste%"];
process.stdout.write(
  `${[...head, ...Object.keys(baselines).map((n) => n.padStart(15))].join("  ")}\n`,
);
const lines: Line[] = [];
for (const world of scheduleWorlds) {
  const line = await measure(world);
  lines.push(line);
  process.stdout.write(`${lineText(line)}\n`);
}
const results = join(import.meta.dirname, "results");
mkdirSync(results, { recursive: true });
writeFileSync(join(results, "schedule.json"), `${JSON.stringify(lines, null, 2)}\n`);
if (lines.some(({ share, aim }) => share < aim)) {
  process.stdout.write("some worlds miss their aim\n");
}
