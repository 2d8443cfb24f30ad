/**
 * Has V8 compile the program as users' commands would, and keeps the outcome beside it. V8 compiles a
 * function when it is first called, so the commands are run, one after the other, against replicas of
 * our own.
 */

import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import Module, { createRequire } from "node:module";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import v8 from "node:v8";
import { Script } from "node:vm";
import { seal } from "./sealed-code.cjs";

const smallBytes = 1024;
/** Enough for a list of pieces, leases, a lock and reserved space. */
const largeBytes = 9 * 1024 * 1024;
const mostMs = 60_000;
const ownPath = fileURLToPath(import.meta.url);

/** Keeps the code of the program in `folder`. Where commands cannot run, it says so and keeps none. */
export async function makeCodeCache(folder) {
  const scratch = mkdtempSync(join(tmpdir(), "quorate-build-"));
  // Ends whatever still runs, also when that takes too long.
  const end = new AbortController();
  const late = setTimeout(() => end.abort(), mostMs);
  // V8 takes no code that was made with other flags, and most users give none.
  const { NODE_OPTIONS: _, ...env } = { ...process.env, XDG_CACHE_HOME: join(scratch, "cache") };
  const options = { env, signal: end.signal, killSignal: "SIGKILL" };
  try {
    writeFileSync(join(scratch, "small.bin"), Buffer.alloc(smallBytes, 1));
    writeFileSync(join(scratch, "large.bin"), Buffer.alloc(largeBytes, 2));
    const ports = await freePorts(4);
    const serve = [join(folder, "main.js"), "serve", scratch, "--json", "-p", ...ports];
    await hasSaid('"listening"', start(serve, { ...options, stdio: ["ignore", "pipe", "ignore"] }));
    const compile = start([ownPath, folder, scratch, ...ports], { ...options, stdio: "ignore" });
    const [code] = await once(compile, "close");
    if (code !== 0) throw new Error(`the commands ended with ${code}`);
  } catch (error) {
    process.stderr.write(`code cache: ${error.message}: there is none, and a start takes longer\n`);
  } finally {
    clearTimeout(late);
    end.abort();
    rmSync(scratch, { recursive: true, force: true });
  }
}

function start(args, options) {
  const child = spawn(process.execPath, args, options);
  // That it was ended is no news; whoever waits for it hears of its close.
  child.on("error", () => {});
  return child;
}

async function hasSaid(text, child) {
  for await (const line of createInterface(child.stdout)) {
    if (line.includes(text)) return child.stdout.resume();
  }
  throw new Error(`serve ended without ${text}`);
}

async function freePorts(count) {
  const probes = Array.from({ length: count }, () => createServer().listen(0, "127.0.0.1"));
  await Promise.all(probes.map((probe) => once(probe, "listening")));
  const ports = probes.map((probe) => String(probe.address().port));
  await Promise.all(probes.map((probe) => once(probe.close(), "close")));
  return ports;
}

/** Runs in a process of its own, which ends when the commands have ended. */
function compile(folder, scratch, ports) {
  const filename = join(folder, "program.js");
  const source = readFileSync(filename);
  const script = new Script(Module.wrap(source.latin1Slice()), { filename });
  const from = ["-p", ...ports];
  // Nor code that was kept under other flags than it is taken with, and a start has none yet.
  v8.setFlagsFromString = () => {};
  const commands = [
    ["--version"],
    ["--help"],
    ["survey", "small.bin", ...from],
    ["list", ...from],
    ["get", "missing.bin", "-o", scratch, ...from],
    ["get", "small.bin", "-o", join(scratch, "got-small.bin"), ...from],
    ["get", "large.bin", "-o", join(scratch, "got-large.bin"), ...from],
  ];
  const next = () => {
    const command = commands.shift();
    if (command === undefined) {
      writeFileSync(
        join(folder, "program.cache"),
        seal({ source, code: script.createCachedData() }),
      );
      process.exitCode = 0;
      return;
    }
    process.argv = [process.execPath, filename, ...command];
    script.runInThisContext()({}, createRequire(filename), { exports: {} }, filename, folder);
    // An immediate, or a command that never waited would be the last.
    process.once("beforeExit", () => setImmediate(next));
  };
  next();
}

if (process.argv[1] === ownPath) {
  const [folder, scratch, ...ports] = process.argv.slice(2);
  compile(folder, scratch, ports);
}
