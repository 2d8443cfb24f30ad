/**
 * `npm run bench:cost [-- --sizes 64,1024 --replicas 4,64 --rounds N --to disk,tmpfs]`: what a
 * download costs: processor seconds for each GiB and peak memory of client and servers, over sizes
 * in MiB from four replicas, and over numbers of replicas that 1 GiB comes from. Every row has its
 * turn in each round, with warm memory, after a round of 1 GiB and less that does not count; figures
 * are medians, with the lowest and the highest of the client's. A get of 1 KiB is the start. The
 * sizes are fitted by what is fixed and what a GiB costs. What is served are holes: no disk is read.
 */

import { execFileSync } from "node:child_process";
import { mkdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { MiB } from "../src/limits/byte-units.js";
import { mainPath } from "../test/support/cli.js";
import { benchFolder, insistOnRoom } from "./folder.js";
import { makeSparseFile } from "./made-file.js";
import { type Cost, cpuSecondsOf, forgetPeakOf, measured, peakMiBOf } from "./measured.js";
import { startServing } from "./real-contestants.js";
import { keep, machine, medianOf, say, sayRow } from "./report.js";
import { warmMemory } from "./warm.js";

const { values } = parseArgs({
  options: {
    sizes: { type: "string", default: "64,256,1024,4096,16384" },
    replicas: { type: "string", default: "1,4,16,64" },
    rounds: { type: "string", default: "3" },
    to: { type: "string", default: "disk,tmpfs" },
  },
});

const gibibyte = 1024;
const usualReplicas = 4;
/** The file of a get that is all start. */
const smallMiB = 1 / 1024;

/** What is fetched, and from how many. */
interface Row {
  readonly sizeMiB: number;
  readonly replicas: number;
}

type Lap = Cost & { readonly serverCpuSeconds: number; readonly serverPeakMiB: number };
type Laps = ReadonlyMap<Row, Lap[]>;

/** Who serves, and where downloads go. */
interface Stage {
  readonly ports: readonly number[];
  readonly pid: number;
  readonly output: string;
}

const numbers = (text: string) => text.split(",").filter(Boolean).map(Number);
const sizes = numbers(values.sizes).map((sizeMiB) => ({ sizeMiB, replicas: usualReplicas }));
const counts = numbers(values.replicas).map((replicas) => ({ sizeMiB: gibibyte, replicas }));

/** Rows that are equal are one; and for each number of replicas, there is one of the start. */
function rowsOf(wanted: readonly Row[]): Row[] {
  const starts = wanted.map(({ replicas }) => ({ sizeMiB: smallMiB, replicas }));
  return [...new Map([...starts, ...wanted].map((row) => [keyOf(row), row])).values()];
}

const keyOf = ({ sizeMiB, replicas }: Row) => `${sizeMiB} ${replicas}`;
/** What downloads take at once; what is served takes no space. */
const bytesOf = (rows: readonly Row[]) => MiB * Math.max(...rows.map(({ sizeMiB }) => sizeMiB));
const nameOf = (sizeMiB: number) => `${sizeMiB}.bin`;

async function run(rows: readonly Row[], target: string): Promise<Laps> {
  const folder = benchFolder(target, bytesOf(rows));
  const served = join(folder, "served");
  mkdirSync(served);
  const names = new Set(rows.map(({ sizeMiB }) => sizeMiB));
  for (const sizeMiB of names) makeSparseFile(join(served, nameOf(sizeMiB)), sizeMiB * MiB);
  const most = Math.max(...rows.map(({ replicas }) => replicas));
  const { ports, server } = await startServing([served], [...names].map(nameOf), most);
  try {
    const stage = { ports, pid: server.child.pid ?? 0, output: join(folder, "got.bin") };
    return await lapsOf(rows, stage);
  } finally {
    await server.end();
    rmSync(folder, { recursive: true, force: true });
  }
}

async function lapsOf(rows: readonly Row[], stage: Stage): Promise<Laps> {
  const laps = new Map<Row, Lap[]>(rows.map((row) => [row, []]));
  for (const row of rows) if (row.sizeMiB <= gibibyte) await fetchOnce(row, stage);
  for (let round = 0; round < Number(values.rounds); round++) {
    for (const row of rows) laps.get(row)?.push(await fetchOnce(row, stage));
  }
  return laps;
}

async function fetchOnce({ sizeMiB, replicas }: Row, { ports, pid, output }: Stage): Promise<Lap> {
  execFileSync("sync");
  warmMemory(2 * sizeMiB * MiB);
  forgetPeakOf(pid);
  const before = cpuSecondsOf(pid);
  const from = ports.slice(0, replicas).map(String);
  const get = ["get", nameOf(sizeMiB), "-o", output, "--json", "-p", ...from];
  const cost = await measured([process.execPath, mainPath, ...get]);
  if (cost.code !== 0) throw new Error("a get failed");
  rmSync(output);
  const serverCpuSeconds = cpuSecondsOf(pid) - before;
  return { ...cost, serverCpuSeconds, serverPeakMiB: peakMiBOf(pid) };
}

/** What one line of the table says. Medians; processor seconds are for each GiB. */
function lineOf({ sizeMiB, replicas }: Row, laps: Laps) {
  const perGiB = gibibyte / sizeMiB;
  const lapsOfRow = (of: Row) => [...laps].find(([row]) => keyOf(row) === keyOf(of))?.[1] ?? [];
  const own = lapsOfRow({ sizeMiB, replicas });
  const median = (of: (lap: Lap) => number) => medianOf(own.map(of));
  const client = own.map((lap) => lap.cpuSeconds * perGiB);
  const start = lapsOfRow({ sizeMiB: smallMiB, replicas }).map((lap) => lap.cpuSeconds * perGiB);
  return {
    sizeMiB,
    replicas,
    megabytesPerSecond: (sizeMiB * MiB) / 1e6 / median((lap) => lap.wallSeconds),
    clientSeconds: medianOf(client),
    spread: [Math.min(...client), Math.max(...client)] as const,
    pastStartSeconds: medianOf(client) - medianOf(start),
    clientPeakMiB: median((lap) => lap.peakMiB),
    serverSeconds: median((lap) => lap.serverCpuSeconds) * perGiB,
    serverPeakMiB: median((lap) => lap.serverPeakMiB),
  };
}

/** Prints lines, each with its client's seconds over those of the one they are compared with. */
function table(rows: readonly Row[], base: Row, laps: Laps) {
  const client = ["client s/GiB", "from–to", "×", "past start", "×", "peak MiB"];
  sayRow(["MiB", "replicas", "MB/s", ...client, "server s/GiB", "peak MiB"], 13);
  const { clientSeconds, pastStartSeconds } = lineOf(base, laps);
  return rows.map((row) => {
    const line = lineOf(row, laps);
    const figures = [
      line.clientSeconds.toFixed(2),
      line.spread.map((seconds) => seconds.toFixed(2)).join("–"),
      (line.clientSeconds / clientSeconds).toFixed(2),
      line.pastStartSeconds.toFixed(2),
      (line.pastStartSeconds / pastStartSeconds).toFixed(2),
      ...[line.clientPeakMiB.toFixed(0), line.serverSeconds.toFixed(2)],
      line.serverPeakMiB.toFixed(0),
    ];
    sayRow([line.sizeMiB, line.replicas, line.megabytesPerSecond.toFixed(0), ...figures], 13);
    return line;
  });
}

/** What is fixed and what a GiB costs, so that the squares of relative errors are least. */
function fitOf(lines: readonly { sizeMiB: number; clientSeconds: number }[]) {
  // Divided by its size, a line says: seconds for each GiB = perGiB + fixed / GiB.
  let [weights, inverses, squares, seconds, products] = [0, 0, 0, 0, 0];
  for (const { sizeMiB, clientSeconds } of lines) {
    const [weight, inverse] = [clientSeconds ** -2, gibibyte / sizeMiB];
    weights += weight;
    inverses += weight * inverse;
    squares += weight * inverse ** 2;
    seconds += weight * clientSeconds;
    products += weight * clientSeconds * inverse;
  }
  const determinant = weights * squares - inverses ** 2;
  const perGiB = (squares * seconds - inverses * products) / determinant;
  const fixed = (weights * products - inverses * seconds) / determinant;
  const offs = lines.map(({ sizeMiB, clientSeconds }) => {
    return Math.abs((perGiB + (fixed * gibibyte) / sizeMiB) / clientSeconds - 1);
  });
  return { fixedSeconds: fixed, secondsPerGiB: perGiB, mostOff: Math.max(...offs) };
}

const results = [];
const places = values.to.split(",");
const rows = rowsOf([...sizes, ...counts]);
// Not after an hour.
for (const place of places) insistOnRoom(place, bytesOf(rows));
for (const to of places) {
  say(`to ${to}, ${values.rounds} rounds`);
  const laps = await run(rows, to);
  const [first] = sizes;
  const bySize = first === undefined ? [] : table(sizes, first, laps);
  const fit = bySize.length < 2 ? undefined : fitOf(bySize);
  if (fit !== undefined) {
    const { fixedSeconds, secondsPerGiB, mostOff } = fit;
    const off = `at most ${(100 * mostOff).toFixed(0)} % off`;
    say(`client: ${fixedSeconds.toFixed(2)} s + ${secondsPerGiB.toFixed(2)} s/GiB, ${off}`);
  }
  const usual = counts.find(({ replicas }) => replicas === usualReplicas) ?? counts[0];
  const byReplicas = usual === undefined ? [] : table(counts, usual, laps);
  results.push({ to, bySize, fit, byReplicas });
}
keep("cost.json", { machine, rounds: Number(values.rounds), results });
