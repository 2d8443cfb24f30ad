/**
 * `npm run bench:sending [-- --rounds N --reads N --each MiB --against dist/cli/main.js]`: what it
 * costs one process to send 1 GiB from four virtual servers, to a reader that throws it away. With
 * `--against`, another build of it takes its turn in each round.
 */

import { rmSync } from "node:fs";
import { basename, join } from "node:path";
import { parseArgs } from "node:util";
import { MiB } from "../src/limits/byte-units.js";
import { freePorts, mainPath } from "../test/support/cli.js";
import { benchFolder } from "./folder.js";
import { drink } from "./lean-reader.js";
import { makeFile } from "./made-file.js";
import { cpuSecondsOf, peakMiBOf } from "./measured.js";
import { medianOf, say } from "./report.js";
import { Started } from "./started.js";

const size = 1024 * MiB;
const servers = 4;

const { values } = parseArgs({
  options: {
    rounds: { type: "string", default: "5" },
    reads: { type: "string", default: "1" },
    each: { type: "string", default: "16" },
    against: { type: "string" },
  },
});

interface Build {
  readonly name: string;
  readonly ports: readonly number[];
  readonly started: Started;
  readonly pid: number;
  readonly laps: { readonly wallSeconds: number; readonly cpuSeconds: number }[];
}

async function start(main: string, name: string, source: string): Promise<Build> {
  const ports = await freePorts(servers);
  const listed = ports.map(String);
  const serve = ["serve", "-f", source, "--json", "--max-client-reads", "256", "-p", ...listed];
  const started = new Started([process.execPath, main, ...serve]);
  await started.says(/"event":"listening"/);
  const survey = [mainPath, "survey", basename(source), "-p", ...listed];
  await new Started([process.execPath, ...survey]).closed;
  return { name, ports, started, pid: started.child.pid ?? 0, laps: [] };
}

async function lap({ ports, pid }: Build) {
  const share = size / ports.length;
  const cpuBefore = cpuSecondsOf(pid);
  const beganAt = performance.now();
  const readings = ports.map((port, index) => ({ port, start: index * share }));
  const [reads, readBytes] = [Number(values.reads), Number(values.each) * MiB];
  await Promise.all(
    readings.map(({ port, start: from }) =>
      drink({ port, start: from, end: from + share, reads, readBytes }),
    ),
  );
  const wallSeconds = (performance.now() - beganAt) / 1000;
  return { wallSeconds, cpuSeconds: cpuSecondsOf(pid) - cpuBefore };
}

async function main(): Promise<void> {
  const folder = benchFolder("disk", size);
  const builds: Build[] = [];
  try {
    const source = join(folder, "file.bin");
    makeFile(source, size);
    if (values.against !== undefined) builds.push(await start(values.against, "other", source));
    builds.push(await start(mainPath, "this", source));
    for (let round = 0; round <= Number(values.rounds); round++) {
      for (const build of builds) {
        const cost = await lap(build);
        if (round > 0) build.laps.push(cost);
      }
    }
    for (const { name, laps, pid } of builds) {
      const cpu = medianOf(laps.map(({ cpuSeconds }) => cpuSeconds)).toFixed(2);
      const rate = size / 1e6 / medianOf(laps.map(({ wallSeconds }) => wallSeconds));
      const peak = peakMiBOf(pid).toFixed(0);
      const line = `${name}: ${cpu} CPU-s, ${rate.toFixed(0)} MB/s, peak ${peak} MiB`;
      say(`${line} (medians of ${laps.length})`);
    }
  } finally {
    for (const { started } of builds) await started.end();
    rmSync(folder, { recursive: true, force: true });
  }
}

await main();
