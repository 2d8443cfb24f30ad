/** Runs a command and says what it cost: time, processor and memory, of it and all its children. */

import { spawn } from "node:child_process";
import { readFileSync, writeFileSync } from "node:fs";

/** What one run cost. */
export interface Cost {
  readonly code: number;
  readonly wallSeconds: number;
  readonly cpuSeconds: number;
  /** Of the largest of its processes. */
  readonly peakMiB: number;
}

/** Only a parent that waited learns what a child cost, and Node does not pass that on. */
const wrapper = `
import json, resource, subprocess, sys, time
began = time.perf_counter()
code = subprocess.call(sys.argv[1:])
wall = time.perf_counter() - began
used = resource.getrusage(resource.RUSAGE_CHILDREN)
print(json.dumps([code, wall, used.ru_utime + used.ru_stime, used.ru_maxrss / 1024]), file=sys.stderr)
`;

/** Node 20 reads the certificates that this names at each start: 28 ms for all those of Debian. */
const { NODE_EXTRA_CA_CERTS: _, ...environment } = process.env;

/** Runs a command to its end; its stdout is not kept. Needs `python3`. */
export async function measured(command: readonly string[], cwd?: string): Promise<Cost> {
  const child = spawn("/usr/bin/python3", ["-c", wrapper, ...command], {
    stdio: ["ignore", "ignore", "pipe"],
    env: environment,
    ...(cwd === undefined ? {} : { cwd }),
  });
  let said = "";
  child.stderr.on("data", (text: Buffer) => {
    said += text.toString("utf8");
  });
  await new Promise((resolve, reject) => {
    child.once("error", reject);
    child.once("close", resolve);
  });
  const last = said.trim().split("\n").at(-1) ?? "";
  if (!last.startsWith("[")) throw new Error(`${command.join(" ")}: ${said}`);
  const [code = 1, wallSeconds = 0, cpuSeconds = 0, peakMiB = 0] = JSON.parse(last) as number[];
  if (code !== 0) process.stderr.write(said);
  return { code, wallSeconds, cpuSeconds, peakMiB };
}

/** Processor seconds that a running process has used so far. */
export function cpuSecondsOf(pid: number): number {
  const fields = readFileSync(`/proc/${pid}/stat`, "utf8").split(") ")[1]?.split(" ") ?? [];
  // Fields 14 and 15 of proc(5): user and system time in ticks of 10 ms.
  return (Number(fields[11]) + Number(fields[12])) / 100;
}

/** The most memory that a running process has had is what it has now. */
export function forgetPeakOf(pid: number): void {
  writeFileSync(`/proc/${pid}/clear_refs`, "5");
}

/** The most memory that a running process has had since it began, or was forgotten; in MiB. */
export function peakMiBOf(pid: number): number {
  const status = readFileSync(`/proc/${pid}/status`, "utf8");
  return Number(/VmHWM:\s+(\d+)/.exec(status)?.[1] ?? 0) / 1024;
}
