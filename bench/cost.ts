/**
 * `npm run bench:cost [-- --sizes 64,1024 --replicas 4,1 --rounds N --folder DIR]`: processor
 * seconds for each GiB and peak memory of the client and of the servers, over sizes in MiB and over
 * numbers of replicas, each beside the first of its kind (or four replicas), with and without what
 * a get of 1 KiB costs, which is the start. What is served are holes, so that no disk is read; more
 * than 1 GiB is fetched once.
 */

import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { MiB } from "../src/limits/byte-units.js";
import { mainPath } from "../test/support/cli.js";
import { makeSparseFile } from "./made-file.js";
import { type Cost, cpuSecondsOf, measured, peakMiBOf } from "./measured.js";
import { startQuorate } from "./real-contestants.js";
import { keep, machine, medianOf, sayRow } from "./report.js";

const { values } = parseArgs({
  options: {
    sizes: { type: "string", default: "64,1024,4096,16384" },
    replicas: { type: "string", default: "4,1,16,64" },
    rounds: { type: "string", default: "3" },
    folder: { type: "string", default: tmpdir() },
  },
});

/** What one line of the table says. Medians; seconds for each GiB. */
interface Line {
  readonly sizeMiB: number;
  readonly replicas: number;
  readonly megabytesPerSecond: number;
  readonly clientSeconds: number;
  /** The same without the start. */
  readonly pastStartSeconds: number;
  readonly clientPeakMiB: number;
  readonly serverSeconds: number;
  readonly serverPeakMiB: number;
}

type Lap = Cost & { readonly serverCpuSeconds: number };

function say(cells: readonly (string | number)[]): void {
  sayRow(cells, 13);
}

async function measure(sizeMiB: number, replicas: number): Promise<Line> {
  const [start, lap] = [await lapsOf(1 / 1024, replicas), await lapsOf(sizeMiB, replicas)];
  const perGiB = 1024 / sizeMiB;
  return {
    ...{ sizeMiB, replicas },
    megabytesPerSecond: (sizeMiB * MiB) / 1e6 / lap.wallSeconds,
    clientSeconds: lap.cpuSeconds * perGiB,
    pastStartSeconds: (lap.cpuSeconds - start.cpuSeconds) * perGiB,
    clientPeakMiB: lap.peakMiB,
    serverSeconds: lap.serverCpuSeconds * perGiB,
    serverPeakMiB: lap.serverPeakMiB,
  };
}

/** The medians of some laps. */
async function lapsOf(sizeMiB: number, replicas: number) {
  const folder = mkdtempSync(join(values.folder, "quorate-bench-"));
  const source = join(folder, "file.bin");
  makeSparseFile(source, sizeMiB * MiB);
  const { ports, server } = await startQuorate(source, replicas);
  try {
    const pid = server.child.pid ?? 0;
    const isLong = sizeMiB > 1024;
    const laps: Lap[] = [];
    for (let round = isLong ? 1 : 0; round <= (isLong ? 1 : Number(values.rounds)); round++) {
      const lap = await fetchOnce(pid, ports, join(folder, "got.bin"));
      // A small file's first run warms what the others find warm.
      if (round > 0) laps.push(lap);
    }
    const median = (of: (lap: Lap) => number) => medianOf(laps.map(of));
    return {
      wallSeconds: median((lap) => lap.wallSeconds),
      cpuSeconds: median((lap) => lap.cpuSeconds),
      peakMiB: median((lap) => lap.peakMiB),
      serverCpuSeconds: median((lap) => lap.serverCpuSeconds),
      serverPeakMiB: peakMiBOf(pid),
    };
  } finally {
    await server.end();
    rmSync(folder, { recursive: true, force: true });
  }
}

async function fetchOnce(pid: number, ports: readonly number[], output: string): Promise<Lap> {
  execFileSync("sync");
  const before = cpuSecondsOf(pid);
  const get = ["get", "file.bin", "-o", output, "--json", "-p", ...ports.map(String)];
  const cost = await measured([process.execPath, mainPath, ...get]);
  if (cost.code !== 0) throw new Error("a get failed");
  rmSync(output);
  return { ...cost, serverCpuSeconds: cpuSecondsOf(pid) - before };
}

/** Measures and prints lines, each with its client's seconds over those of `first`'s. */
async function table(
  cases: readonly (readonly [sizeMiB: number, replicas: number])[],
  first: (line: Line) => boolean,
): Promise<Line[]> {
  const lines: Line[] = [];
  const client = ["client s/GiB", "×", "past start", "×", "peak MiB"];
  say(["MiB", "replicas", "MB/s", ...client, "server s/GiB", "peak MiB"]);
  for (const [sizeMiB, replicas] of cases) {
    const line = await measure(sizeMiB, replicas);
    lines.push(line);
    const { clientSeconds, pastStartSeconds } = lines.find(first) ?? line;
    say([
      ...[sizeMiB, replicas, line.megabytesPerSecond.toFixed(0), line.clientSeconds.toFixed(2)],
      (line.clientSeconds / clientSeconds).toFixed(2),
      line.pastStartSeconds.toFixed(2),
      (line.pastStartSeconds / pastStartSeconds).toFixed(2),
      ...[line.clientPeakMiB.toFixed(0), line.serverSeconds.toFixed(2)],
      line.serverPeakMiB.toFixed(0),
    ]);
  }
  return lines;
}

const numbers = (text: string) => text.split(",").filter(Boolean).map(Number);
const bySize = numbers(values.sizes).map((size) => [size, 4] as const);
const sizes = await table(bySize, () => true);
const byReplicas = numbers(values.replicas).map((count) => [1024, count] as const);
const replicas = await table(byReplicas, (line) => line.replicas === 4);
keep("cost.json", { machine, rounds: Number(values.rounds), sizes, replicas });
