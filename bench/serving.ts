/**
 * `npm run bench:serving [-- --rounds N --json FILE]`: what a serving process gives to many: how
 * equal a hundred equal readers are, what TLS costs, and what two hundred readers that never read
 * hold in memory, and for how long.
 */

import { readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { parseArgs } from "node:util";
import { MiB } from "../src/limits/byte-units.js";
import { Authority } from "../test/support/authority.js";
import { freePorts, mainPath } from "../test/support/cli.js";
import { madeUp } from "../test/support/made-up.js";
import { benchFolder } from "./folder.js";
import { cpuSecondsOf } from "./measured.js";
import { asking, connected, jainIndex, readOnce, type ServedFile } from "./readers.js";
import { medianOf, say } from "./report.js";
import { Started } from "./started.js";

const fileMiB = 256;
const equalReaders = 100;
const idleReaders = 200;
/** Equal readers are counted for so long, once each of them has had its first bytes. */
const shareMs = 8_000;

const { values } = parseArgs({
  options: { rounds: { type: "string", default: "5" }, json: { type: "string" } },
});
const rounds = Number(values.rounds);

interface Server extends ServedFile {
  readonly pid: number;
  end(): Promise<void>;
}

async function serving(folder: string, more: readonly string[], ca?: Buffer): Promise<Server> {
  const [port = 0] = await freePorts(1);
  const file = join(folder, "file.bin");
  const args = ["serve", "-f", file, "--json", "-p", String(port), "--max-client-reads", "256"];
  const started = new Started([process.execPath, mainPath, ...args, ...more]);
  await started.says(/"event":"listening"/);
  const server = { port, name: "file.bin", ca, pid: started.child.pid ?? 0 };
  const session = connected(server);
  await readOnce(session, server);
  session.destroy();
  return { ...server, end: () => started.end() };
}

/** The shares of equal readers, each on a connection of its own. */
async function sharesOf(server: Server): Promise<number[]> {
  const shares = new Array<number>(equalReaders).fill(0);
  const sessions = shares.map((_, reader) =>
    connected(server, `127.0.0.${1 + Math.floor(reader / 25)}`),
  );
  let begun = 0;
  let onBegun = () => {};
  const allBegun = new Promise<void>((resolve) => {
    onBegun = resolve;
  });
  sessions.forEach((session, reader) => {
    const again = () => {
      const stream = asking(session, server);
      stream.on("data", ({ length }: Buffer) => {
        if (shares[reader] === 0 && ++begun === equalReaders) onBegun();
        shares[reader] = (shares[reader] ?? 0) + length;
      });
      // Who has had the whole file begins again.
      stream.once("end", () => session.destroyed || again());
    };
    again();
  });
  await allBegun;
  const before = [...shares];
  await delay(shareMs);
  const taken = shares.map((share, reader) => share - (before[reader] ?? 0));
  for (const session of sessions) session.destroy();
  return taken;
}

async function fairness(folder: string) {
  const server = await serving(folder, []);
  const indices: number[] = [];
  const spreads: number[] = [];
  for (let round = 0; round < rounds; round++) {
    const shares = await sharesOf(server);
    indices.push(jainIndex(shares));
    spreads.push(Math.max(...shares) / Math.max(1, Math.min(...shares)));
  }
  await server.end();
  return { readers: equalReaders, seconds: shareMs / 1000, indices, spreads };
}

/** One reader, in plain text and over TLS by turns; what the server's process used for it. */
async function tlsCost(folder: string) {
  const authority = new Authority(folder, "ca");
  const { certPath, keyPath } = authority.issue("server");
  const tls = ["--tls-cert", certPath, "--tls-key", keyPath];
  const servers = [await serving(folder, []), await serving(folder, tls, authority.pair.cert)];
  const sessions = servers.map((server) => connected(server));
  const rateRatios: number[] = [];
  const cpuRatios: number[] = [];
  for (let round = 0; round <= rounds; round++) {
    const costs: { seconds: number; cpuSeconds: number }[] = [];
    for (const [index, server] of servers.entries()) {
      const session = sessions[index];
      if (session === undefined) throw new Error("there is a session for each server");
      const [cpuBefore, at] = [cpuSecondsOf(server.pid), performance.now()];
      for (let read = 0; read < 2; read++) await readOnce(session, server);
      const seconds = (performance.now() - at) / 1000;
      costs.push({ seconds, cpuSeconds: cpuSecondsOf(server.pid) - cpuBefore });
    }
    const [plain, secure] = costs;
    // The first round only warms up.
    if (round === 0 || plain === undefined || secure === undefined) continue;
    rateRatios.push(plain.seconds / secure.seconds);
    cpuRatios.push(secure.cpuSeconds / plain.cpuSeconds);
  }
  for (const session of sessions) session.destroy();
  for (const server of servers) await server.end();
  return { readMiB: 2 * fileMiB, rateRatios, cpuRatios };
}

function residentMiB(pid: number): number {
  const status = readFileSync(`/proc/${pid}/status`, "utf8");
  return Number(/VmRSS:\s+(\d+)/.exec(status)?.[1]) / 1024;
}

/** What readers that take nothing hold, at most, and until when. */
async function idleMemory(folder: string) {
  const peaks: number[] = [];
  const freed: number[] = [];
  // Each waits for the servers to lose patience: two of them tell enough.
  for (let round = 0; round < Math.min(rounds, 2); round++) {
    const server = await serving(folder, []);
    const idleMiB = residentMiB(server.pid);
    const at = performance.now();
    let open = idleReaders;
    const sessions = Array.from({ length: idleReaders / 4 }, () => connected(server));
    for (const session of sessions) {
      for (let index = 0; index < 4; index++) {
        const stream = asking(session, server);
        stream.pause();
        stream.once("close", () => open--);
      }
    }
    let peakMiB = 0;
    let residentNow = Number.POSITIVE_INFINITY;
    while (open > 0 || residentNow > 1.2 * idleMiB) {
      await delay(100);
      residentNow = residentMiB(server.pid);
      peakMiB = Math.max(peakMiB, residentNow - idleMiB);
      if (performance.now() - at > 90_000) break;
    }
    peaks.push(peakMiB);
    freed.push((performance.now() - at) / 1000);
    for (const session of sessions) session.destroy();
    await server.end();
  }
  return { readers: idleReaders, peaks, freed };
}

function tell(what: string, values: readonly number[], unit: string, digits: number): void {
  const all = values.map((value) => value.toFixed(digits)).join(", ");
  say(`${what}: ${medianOf(values).toFixed(digits)}${unit} (median of ${all})`);
}

const folder = benchFolder("disk", fileMiB * MiB);
try {
  writeFileSync(join(folder, "file.bin"), madeUp(fileMiB * MiB));
  const fair = await fairness(folder);
  tell(`Jain's index of ${fair.readers} equal readers`, fair.indices, "", 4);
  tell("the largest share over the smallest", fair.spreads, "", 2);
  const tls = await tlsCost(folder);
  tell("TLS: rate of one reader, of plain text's", tls.rateRatios, "", 2);
  tell("TLS: processor time of the server, of plain text's", tls.cpuRatios, "", 2);
  const idle = await idleMemory(folder);
  tell(`memory for ${idle.readers} readers that never read, above idle`, idle.peaks, " MiB", 0);
  tell("seconds until it is within 20 % of idle again", idle.freed, " s", 1);
  const measured = { node: process.version, rounds, fair, tls, idle };
  if (values.json !== undefined)
    writeFileSync(values.json, `${JSON.stringify(measured, null, 2)}\n`);
} finally {
  rmSync(folder, { recursive: true, force: true });
}
