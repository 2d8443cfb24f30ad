/**
 * `npm run bench:schedule -- --real`: the named worlds between real processes over real sockets,
 * beside aria2 fed by nginx through the very same proxy. Every tool takes its turn in each round;
 * wall time counts from the start of the process to its end.
 */

import { createHash } from "node:crypto";
import { createReadStream, existsSync, mkdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { MiB } from "../src/limits/byte-units.js";
import { mainPath } from "../test/support/cli.js";
import { benchFolder } from "./folder.js";
import { idealSeconds } from "./ideal.js";
import { makeFile } from "./made-file.js";
import { type Contestant, ours, rivals, startNginx, startQuorate } from "./real-contestants.js";
import { capOf, realWorld, scale } from "./real-worlds.js";
import { keep, medianOf, say } from "./report.js";
import { type ScheduleWorld, scheduleWorlds } from "./schedule-worlds.js";
import { isInstalled, Started } from "./started.js";

/** One run of one tool. */
export interface Lap {
  readonly wallSeconds: number;
  /** What it says itself; ours only. */
  readonly ownSeconds?: number;
  readonly wastedBytes?: number;
  readonly banned?: number;
  /** Why it counts as never done. */
  readonly failure?: string;
}

export interface WorldResult {
  readonly world: string;
  readonly sizeMiB: number;
  readonly idealSeconds: number;
  readonly laps: Readonly<Record<string, readonly Lap[]>>;
}

/** Measures, prints the table, and writes `results/schedule-real.json`. */
export async function runReal(): Promise<void> {
  const { values } = parseArgs({
    options: {
      real: { type: "boolean" },
      worlds: { type: "string" },
      rounds: { type: "string", default: "3" },
      size: { type: "string" },
    },
  });
  if (!existsSync(mainPath)) throw new Error("first: npm run build");
  const names = values.worlds?.split(",") ?? scheduleWorlds.map(({ name }) => name);
  const contestants = present();
  say(
    `rates are ${scale} of the table's (slow together: the table's own); median of ${values.rounds}`,
  );
  say(headText(contestants));
  const results: WorldResult[] = [];
  for (const name of names) {
    const world = realWorld(name, values.size === undefined ? undefined : Number(values.size));
    const result = await measure(world, contestants, Number(values.rounds));
    results.push(result);
    say(lineText(result, contestants));
  }
  keep("schedule-real.json", { scale, rounds: Number(values.rounds), results });
}

/** Ourselves, and the rivals that are installed; says which are not. */
export function present(): Contestant[] {
  const missing = [
    ...(isInstalled("aria2c", "--version") ? [] : ["aria2c (Debian: aria2)"]),
    ...(isInstalled("nginx", "-v") ? [] : ["nginx (Debian: nginx-light)"]),
  ];
  if (missing.length === 0) return [ours, ...rivals];
  say(`not installed, so aria2 is left out: ${missing.join(", ")}`);
  return [ours];
}

/** Every tool takes its turn in each round. */
export async function measure(
  world: ScheduleWorld,
  contestants: readonly Contestant[],
  rounds: number,
): Promise<WorldResult> {
  const ideal = idealSeconds(world.size, world.replicas, capOf(world.cap));
  const folder = benchFolder("disk", 2 * world.size);
  const servers: Started[] = [];
  const laps: Record<string, Lap[]> = {};
  try {
    const source = join(folder, "file.bin");
    const digest = makeFile(source, world.size);
    const count = world.replicas.length;
    const feeds = new Map<string, readonly number[]>();
    const quorate = await startQuorate(source, count);
    servers.push(quorate.server);
    feeds.set("quorate", quorate.ports);
    if (contestants.some(({ feed }) => feed === "nginx")) {
      const nginx = await startNginx(source, count, join(folder, "nginx"));
      servers.push(nginx.server);
      feeds.set("nginx", nginx.ports);
    }
    for (let round = 0; round < rounds; round++) {
      for (const contestant of contestants) {
        const course = { world, source, digest, output: join(folder, "got", "file.bin"), ideal };
        const lap = await runLap(contestant, course, feeds.get(contestant.feed) ?? []);
        laps[contestant.name] = [...(laps[contestant.name] ?? []), lap];
      }
    }
  } finally {
    for (const server of servers) await server.end();
    rmSync(folder, { recursive: true, force: true });
  }
  return { world: world.name, sizeMiB: world.size / MiB, idealSeconds: ideal, laps };
}

interface LapCourse {
  readonly world: ScheduleWorld;
  readonly source: string;
  readonly digest: string;
  readonly output: string;
  readonly ideal: number;
}

async function runLap(
  contestant: Contestant,
  { world, source, digest, output, ideal }: LapCourse,
  targets: readonly number[],
): Promise<Lap> {
  const folder = join(output, "..");
  mkdirSync(folder);
  // A fresh one for each run: a world's time begins with the first byte that is asked for.
  const asked = JSON.stringify({ world: world.name, sizeMiB: world.size / MiB, targets });
  const script = join(import.meta.dirname, "shaping-proxy.ts");
  const proxy = new Started([process.execPath, "--import", "tsx", script, asked]);
  try {
    await proxy.says(/\n/);
    const addresses = JSON.parse(proxy.stdout) as string[];
    const startedAt = performance.now();
    const tool = new Started(contestant.command({ source, digest, output, addresses }));
    const limit = setTimeout(() => tool.child.kill("SIGKILL"), (30 + 10 * ideal) * 1000);
    const code = await tool.closed;
    const wallSeconds = (performance.now() - startedAt) / 1000;
    clearTimeout(limit);
    if (code !== 0) return { wallSeconds: Number.POSITIVE_INFINITY, failure: `exit ${code}` };
    if ((await digestOf(output)) !== digest) {
      return { wallSeconds: Number.POSITIVE_INFINITY, failure: "wrong bytes" };
    }
    return { wallSeconds, ...(contestant === ours ? ownWords(tool.stdout) : {}) };
  } finally {
    proxy.child.stdin?.end();
    await proxy.closed;
    rmSync(folder, { recursive: true, force: true });
  }
}

async function digestOf(path: string): Promise<string> {
  const hash = createHash("sha256");
  for await (const bytes of createReadStream(path)) hash.update(bytes as Buffer);
  return `sha256:${hash.digest("hex")}`;
}

/** What our receipt says. */
function ownWords(stdout: string): Omit<Lap, "wallSeconds"> {
  const receipt = JSON.parse(stdout.trim().split("\n").at(-1) ?? "") as {
    readonly seconds: number;
    readonly wastedBytes: number;
    readonly replicas: readonly { readonly standing: string }[];
  };
  const banned = receipt.replicas.filter(({ standing }) => standing === "banned").length;
  return { ownSeconds: receipt.seconds, wastedBytes: receipt.wastedBytes, banned };
}

function headText(contestants: readonly Contestant[]): string {
  const rival = contestants.slice(1).flatMap(({ name }) => {
    return [`${name} s`.padStart(15), "%".padStart(6), "ours is ×".padStart(9)];
  });
  const own = ["ideal s", " wall s", "     %", "  own s", "     %", "waste%", "banned"];
  return ["world".padEnd(14), "   MiB", ...own, ...rival].join("  ");
}

function lineText(
  { world, sizeMiB, idealSeconds: ideal, laps }: WorldResult,
  contestants: readonly Contestant[],
): string {
  const seconds = (value: number) => value.toFixed(2).padStart(7);
  const share = (value: number) => ((100 * ideal) / value).toFixed(1).padStart(6);
  const own = laps[ours.name] ?? [];
  const wall = medianOf(own.map(({ wallSeconds }) => wallSeconds));
  const told = medianOf(own.map(({ ownSeconds }) => ownSeconds ?? Number.POSITIVE_INFINITY));
  const wasted = medianOf(own.map(({ wastedBytes }) => wastedBytes ?? 0)) / (sizeMiB * MiB);
  const banned = own.reduce((sum, lap) => sum + (lap.banned ?? 0), 0);
  const cells = [
    world.padEnd(14),
    String(sizeMiB).padStart(6),
    ...[seconds(ideal), seconds(wall), share(wall), seconds(told), share(told)],
    (100 * wasted).toFixed(1).padStart(6),
    String(banned).padStart(6),
  ];
  for (const { name } of contestants.slice(1)) {
    const theirs = laps[name] ?? [];
    const wallSeconds = medianOf(theirs.map((lap) => lap.wallSeconds));
    // Of the pairs of each round: both ran in the same minute.
    const ratios = theirs.map((lap, round) => lap.wallSeconds / (own[round]?.wallSeconds ?? 0));
    cells.push(
      seconds(wallSeconds).padStart(15),
      share(wallSeconds),
      medianOf(ratios).toFixed(2).padStart(9),
    );
  }
  return cells.join("  ");
}
