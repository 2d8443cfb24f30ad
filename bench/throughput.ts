/**
 * `npm run bench:throughput [-- --size MiB --rounds N --to disk,tmpfs --warm]`: how fast a file comes
 * from four replicas on this machine, beside what a user would run instead. Every tool takes its turn
 * in each round, after one round that does not count; figures are medians, ratios are within a round.
 * Only we sync what we wrote, so each is timed twice: until it ends, and until a `sync` of its output
 * has ended, too. `--warm`: a virtual machine's host takes back memory that lies idle, and the next
 * to use it pays for that; so it is used once before each lap.
 */

import { execFileSync } from "node:child_process";
import { existsSync, mkdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { MiB } from "../src/limits/byte-units.js";
import { mainPath } from "../test/support/cli.js";
import { benchFolder, insistOnRoom } from "./folder.js";
import { makeFile } from "./made-file.js";
import { cpuSecondsOf, measured, peakMiBOf } from "./measured.js";
import { type Peer, peersHere, type Race } from "./peers.js";
import { startNginx, startQuorate } from "./real-contestants.js";
import { keep, machine, medianOf, say } from "./report.js";
import type { Started } from "./started.js";
import { warmMemory } from "./warm.js";

const servers = 4;

interface Lap {
  readonly wallSeconds: number;
  /** The same, and a sync of what was written. */
  readonly syncedSeconds: number;
  readonly cpuSeconds: number;
  readonly serverCpuSeconds: number;
  readonly peakMiB: number;
}

type Laps = Map<Peer, Lap[]>;

const { values } = parseArgs({
  options: {
    size: { type: "string", default: "1024" },
    rounds: { type: "string", default: "5" },
    to: { type: "string", default: "disk,tmpfs" },
    only: { type: "string" },
    warm: { type: "boolean", default: false },
  },
});

async function main(): Promise<void> {
  if (!existsSync(mainPath)) throw new Error("first: npm run build");
  const { peers, missing } = peersHere();
  if (missing.length > 0) say(`not installed, so left out: ${missing.join(", ")}`);
  const chosen = peers.filter(
    ({ name }) => values.only === undefined || name.includes(values.only),
  );
  const sizeBytes = Number(values.size) * MiB;
  const results = [];
  const places = values.to.split(",");
  // What is served, and what comes.
  const neededBytes = 2 * sizeBytes;
  for (const place of places) insistOnRoom(place, neededBytes);
  for (const place of places) {
    const folder = benchFolder(place, neededBytes);
    const started: Started[] = [];
    try {
      const source = join(folder, "file.bin");
      const digest = makeFile(source, sizeBytes);
      const quorate = await startQuorate(source, servers);
      started.push(quorate.server);
      const nginx = await startNginx(source, servers, join(folder, "nginx"));
      started.push(nginx.server);
      const race = { source, digest, size: sizeBytes, output: join(folder, "got", "file.bin") };
      const course = { ...race, quorate: quorate.ports, nginx: nginx.ports };
      const pids = { quorate: pidOf(quorate.server), nginx: pidOf(nginx.server) };
      const laps = await runRounds(chosen, course, pids);
      say(`\n${values.size} MiB from ${servers} replicas to ${place}, medians of ${values.rounds}`);
      for (const line of tableOf(laps, sizeBytes)) say(line);
      say(`four virtual servers, peak resident: ${peakMiBOf(pids.quorate).toFixed(0)} MiB`);
      results.push({ place, laps: [...laps].map(([{ name }, runs]) => ({ name, runs })) });
    } finally {
      for (const server of started) await server.end();
      rmSync(folder, { recursive: true, force: true });
    }
  }
  keep("throughput.json", { machine, sizeMiB: Number(values.size), results });
}

function pidOf({ child }: Started): number {
  if (child.pid === undefined) throw new Error("a server did not start");
  return child.pid;
}

async function runRounds(
  peers: readonly Peer[],
  race: Race,
  pids: { readonly quorate: number; readonly nginx: number },
): Promise<Laps> {
  const laps: Laps = new Map(peers.map((peer) => [peer, []]));
  for (let round = 0; round <= Number(values.rounds); round++) {
    for (const peer of peers) {
      const folder = join(race.output, "..");
      mkdirSync(folder);
      // What an earlier tool left to be written must not be this one's delay.
      execFileSync("sync");
      if (values.warm) warmMemory(2 * race.size);
      const before = cpuSecondsOf(pids[peer.feed]);
      const cost = await measured(["bash", "-c", peer.script(race)]);
      if (cost.code !== 0) throw new Error(`${peer.name} ended with ${cost.code}`);
      const serverCpuSeconds = cpuSecondsOf(pids[peer.feed]) - before;
      const endedAt = performance.now();
      execFileSync("sync", [race.output]);
      const syncedSeconds = cost.wallSeconds + (performance.now() - endedAt) / 1000;
      rmSync(folder, { recursive: true });
      if (round > 0) laps.get(peer)?.push({ ...cost, syncedSeconds, serverCpuSeconds });
    }
  }
  return laps;
}

function tableOf(laps: Laps, sizeBytes: number): string[] {
  const ours = [...laps].find(([{ feed }]) => feed === "quorate")?.[1] ?? [];
  const rows = [...laps].map(([peer, runs]) => {
    const median = (of: (lap: Lap) => number) => medianOf(runs.map(of));
    const rate = (of: (lap: Lap) => number) => (sizeBytes / 1e6 / median(of)).toFixed(0);
    const ratio = (of: (lap: Lap) => number) => {
      const ratios = runs.flatMap((run, round) => {
        const own = ours[round];
        return own === undefined ? [] : of(run) / of(own);
      });
      return `${medianOf(ratios).toFixed(2)} ×`;
    };
    return [
      ...[peer.name, peer.verifies ? "yes" : "no"],
      ...[rate((lap) => lap.wallSeconds), ratio((lap) => lap.wallSeconds)],
      ...[rate((lap) => lap.syncedSeconds), ratio((lap) => lap.syncedSeconds)],
      median((lap) => lap.cpuSeconds).toFixed(2),
      median((lap) => lap.serverCpuSeconds).toFixed(2),
      median((lap) => lap.peakMiB).toFixed(0),
    ];
  });
  const costs = ["client CPU s", "server CPU s", "peak MiB"];
  const head = ["tool", "verified", "MB/s", "ours is", "synced MB/s", "ours is", ...costs];
  return [head, ...rows].map((row) =>
    row.map((cell, at) => (at === 0 ? cell.padEnd(20) : cell.padStart(13))).join(""),
  );
}

await main();
