/**
 * `npm run bench:small [-- --rounds N]`: what a start costs, and what a small file costs once
 * started: a cold `get` of 1 KiB, `--version`, and 1,000 files of 1 KiB through the library.
 */

import { randomBytes } from "node:crypto";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { freePorts, mainPath } from "../test/support/cli.js";
import { type Cost, measured } from "./measured.js";
import { medianOf, say } from "./report.js";
import { Started } from "./started.js";

const { values } = parseArgs({
  options: { rounds: { type: "string", default: "9" }, files: { type: "string", default: "1000" } },
});
const rounds = Number(values.rounds);
const files = Number(values.files);
/** Files on the way at once. */
const atOnce = 16;

/** The library as a user has it: built. */
const library = await import(join(mainPath, "../../src/index.js"));

/** The same program, as `tsc` leaves it. */
const unbundled = join(mainPath, "../../src/cli/main.js");

async function manyFiles(ports: readonly number[], folder: string): Promise<number> {
  const replicas = ports.map((port) => ({ host: "127.0.0.1", port }));
  const names = Array.from({ length: files }, (_, index) => `${index}.bin`);
  mkdirSync(folder);
  const startedAt = performance.now();
  const worker = async () => {
    for (let name = names.pop(); name !== undefined; name = names.pop()) {
      await library.download({ replicas, name, output: folder });
    }
  };
  await Promise.all(Array.from({ length: atOnce }, worker));
  const seconds = (performance.now() - startedAt) / 1000;
  rmSync(folder, { recursive: true });
  return files / seconds;
}

/** The bundle beside the modules that it is made of, and Node alone, taking turns. */
async function starts(): Promise<void> {
  const output = join(folder, "one.bin");
  const get = ["get", "-o", output, "-p", ...listed, "--"];
  const contestants = [
    { title: "node with an empty module", args: () => [empty], costs: [] as Cost[] },
    { title: "--version, unbundled", args: () => [unbundled, "--version"], costs: [] as Cost[] },
    { title: "--version", args: () => [mainPath, "--version"], costs: [] as Cost[] },
    {
      title: "get of 1 KiB from 4 replicas, unbundled",
      args: (round: number) => [unbundled, ...get, `${2 * round}.bin`],
      costs: [] as Cost[],
    },
    {
      title: "get of 1 KiB from 4 replicas",
      args: (round: number) => [mainPath, ...get, `${2 * round + 1}.bin`],
      costs: [] as Cost[],
    },
  ];
  writeFileSync(empty, "");
  for (let round = 0; round <= rounds; round++) {
    for (const { title, args, costs } of contestants) {
      const cost = await measured([process.execPath, ...args(round)]);
      if (cost.code !== 0) throw new Error(`${title}: it ended with ${cost.code}`);
      rmSync(output, { force: true });
      // The first of each only warms up.
      if (round > 0) costs.push(cost);
    }
  }
  for (const { title, costs } of contestants) {
    const wall = medianOf(costs.map(({ wallSeconds }) => wallSeconds)).toFixed(3);
    const cpu = medianOf(costs.map(({ cpuSeconds }) => cpuSeconds)).toFixed(3);
    say(`${title}: ${wall} s, ${cpu} CPU-s (medians of ${rounds})`);
  }
}

const folder = mkdtempSync(join(tmpdir(), "quorate-bench-"));
const empty = join(folder, "empty.mjs");
const shared = join(folder, "of");
mkdirSync(shared);
for (let index = 0; index < files; index++) {
  writeFileSync(join(shared, `${index}.bin`), randomBytes(1024));
}
const ports = await freePorts(4);
const listed = ports.map(String);
const server = new Started([
  process.execPath,
  mainPath,
  "serve",
  shared,
  "--json",
  "-p",
  ...listed,
]);
try {
  await server.says(/"event":"listening"/);
  await starts();
  const rates: number[] = [];
  for (let round = 0; round < 4; round++) {
    const rate = await manyFiles(ports, join(folder, "many"));
    // The first also pays for hashing each file on the server.
    if (round > 0) rates.push(rate);
  }
  const rate = medianOf(rates).toFixed(0);
  say(
    `${files} files of 1 KiB through the library: ${rate} a second (median of 3, ${atOnce} at once)`,
  );
} finally {
  await server.end();
  rmSync(folder, { recursive: true, force: true });
}
