/** Names a process so that it can be told from others, dead or alive; finds one by its files. */

import { readdir, readFile, readlink, realpath } from "node:fs/promises";
import { hostname } from "node:os";
import { errorCode } from "./storage-error.js";

/** `unknown`: of another machine or container, whose processes cannot be seen from here. */
export type OwnerState = "alive" | "dead" | "unknown";

/** A process, in the words of a lock file. */
export interface Owner {
  readonly pid: number;
  /** When it began, in ticks since the machine did: process ids come round again. */
  readonly start: string;
  /** Which start of the machine that was. */
  readonly boot: string;
  readonly host: string;
}

/** This process. What the machine does not tell is `-`. */
export async function ourselves(): Promise<Owner> {
  const { pid } = process;
  return { pid, start: await startOf(pid), boot: await bootOf(), host: hostname() || "-" };
}

export function ownerText({ pid, start, boot, host }: Owner): string {
  return `${pid} ${start} ${boot} ${host}`;
}

/** `undefined` when the text names no process. */
export function parseOwner(text: string): Owner | undefined {
  const match = /^([1-9]\d{0,9}) (\d{1,20}|-) ([\w-]{1,64}) ([\w.-]{1,255})$/.exec(text);
  if (match === null) return undefined;
  const [, pid = "", start = "", boot = "", host = ""] = match;
  return { pid: Number(pid), start, boot, host };
}

/** Whether that process still runs. */
export async function stateOf(owner: Owner): Promise<OwnerState> {
  const { host, boot } = await ourselves();
  if (owner.host !== host) return "unknown";
  if (owner.boot !== boot) return "dead";
  try {
    process.kill(owner.pid, 0);
  } catch (error) {
    // EPERM is said of a process that lives and is somebody else's.
    if (errorCode(error) !== "EPERM") return "dead";
  }
  return (await startOf(owner.pid)) === owner.start ? "alive" : "dead";
}

/**
 * Another process that has the file open, or `undefined` when none can be seen: those of other
 * users, and of other containers, cannot.
 */
export async function processThatHasOpen(path: string): Promise<number | undefined> {
  const named = await realpath(path).catch(() => path);
  for (const pid of await readdir("/proc").catch(() => [])) {
    if (!/^\d+$/.test(pid) || Number(pid) === process.pid) continue;
    for (const fd of await readdir(`/proc/${pid}/fd`).catch(() => [])) {
      const target = await readlink(`/proc/${pid}/fd/${fd}`).catch(() => "");
      if (target === named) return Number(pid);
    }
  }
  return undefined;
}

async function startOf(pid: number): Promise<string> {
  const stat = await readFile(`/proc/${pid}/stat`, "utf8").catch(() => "");
  // The second field is the program's name in parentheses, which may hold spaces and parentheses.
  const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  return fields[19] ?? "-";
}

async function bootOf(): Promise<string> {
  const id = await readFile("/proc/sys/kernel/random/boot_id", "utf8").catch(() => "-");
  return id.trim();
}
