/**
 * `npm run bench:cost [-- --sizes 64,1024 --replicas 1,4 --rounds N]`: processor seconds for each
 * GiB and peak memory of the client, over sizes in MiB and over numbers of replicas.
 */

import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { mainPath } from "../test/support/cli.js";
import { makeFile } from "./made-file.js";
import { type Cost, cpuSecondsOf, measured, medianOf, peakMiBOf } from "./measured.js";
import { startQuorate } from "./real-contestants.js";

const MiB = 1024 * 1024;
const { values } = parseArgs({
  options: {
    sizes: { type: "string", default: "64,1024,4096,16384" },
    replicas: { type: "string", default: "1,4,16,64" },
    rounds: { type: "string", default: "3" },
  },
});

function say(cells: readonly (string | number)[]): void {
  process.stdout.write(`${cells.map((cell) => String(cell).padStart(14)).join("")}\n`);
}

async function line(sizeMiB: number, replicas: number): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), "quorate-bench-"));
  const source = join(folder, "file.bin");
  makeFile(source, sizeMiB * MiB);
  const { ports, server } = await startQuorate(source, replicas);
  try {
    const pid = server.child.pid ?? 0;
    const laps: (Cost & { readonly serverCpuSeconds: number })[] = [];
    for (let round = 0; round <= Number(values.rounds); round++) {
      const output = join(folder, "got.bin");
      execFileSync("sync");
      const before = cpuSecondsOf(pid);
      const get = ["get", "file.bin", "-o", output, "--json", "-p", ...ports.map(String)];
      const cost = await measured([process.execPath, mainPath, ...get]);
      if (cost.code !== 0) throw new Error("a get failed");
      rmSync(output);
      // A small file's first run warms what the others find warm.
      if (round > 0) laps.push({ ...cost, serverCpuSeconds: cpuSecondsOf(pid) - before });
    }
    const median = (of: (lap: (typeof laps)[number]) => number) => medianOf(laps.map(of));
    const perGiB = (seconds: number) => ((seconds * 1024) / sizeMiB).toFixed(2);
    const speed = (sizeMiB * MiB) / 1e6 / median((lap) => lap.wallSeconds);
    const client = [
      perGiB(median((lap) => lap.cpuSeconds)),
      median((lap) => lap.peakMiB).toFixed(0),
    ];
    const served = [perGiB(median((lap) => lap.serverCpuSeconds)), peakMiBOf(pid).toFixed(0)];
    say([sizeMiB, replicas, speed.toFixed(0), ...client, ...served]);
  } finally {
    await server.end();
    rmSync(folder, { recursive: true, force: true });
  }
}

say(["MiB", "replicas", "MB/s", "client s/GiB", "peak MiB", "server s/GiB", "peak MiB"]);
for (const size of values.sizes.split(",")) await line(Number(size), 4);
for (const replicas of values.replicas.split(",")) await line(1024, Number(replicas));
