/**
 * Folders for benches, on a disk or in memory, with room for what goes there: a bench that fills
 * the memory of a machine ends whatever else runs on it.
 */

import { mkdtempSync, readFileSync, statfsSync } from "node:fs";
import { freemem, tmpdir } from "node:os";
import { join } from "node:path";
import { MiB } from "../src/limits/byte-units.js";
import { say } from "./report.js";

/** What the kernel calls tmpfs. */
const tmpfsType = 0x01021994;
/** For servers, clients and everybody else, beside the files. */
const reserveBytes = 1024 * MiB;

const parentOf = (place: string) => (place === "tmpfs" ? "/dev/shm" : tmpdir());

/** A new folder on `disk` or `tmpfs`, with room for so many bytes, as `insistOnRoom` has it. */
export function benchFolder(place: string, neededBytes: number): string {
  insistOnRoom(place, neededBytes);
  return mkdtempSync(join(parentOf(place), "quorate-bench-"));
}

/** Ends the process with one line where too little is free. */
export function insistOnRoom(place: string, neededBytes: number): void {
  const parent = parentOf(place);
  const { type, bavail, bsize } = statfsSync(parent);
  const room = { isMemory: type === tmpfsType, freeBytes: bavail * bsize };
  const problem = roomProblem({ ...room, availableBytes: availableBytes() }, neededBytes);
  if (problem === undefined) return;
  say(`${parent}: ${problem}`);
  process.exit(1);
}

interface Room {
  /** Whether files there lie in memory. */
  readonly isMemory: boolean;
  readonly freeBytes: number;
  /** Of the machine's memory. */
  readonly availableBytes: number;
}

/** What is in the way of so many bytes. */
export function roomProblem(room: Room, neededBytes: number): string | undefined {
  const { isMemory, freeBytes, availableBytes } = room;
  const needed = `${Math.ceil(neededBytes / MiB)} MiB are needed`;
  if (freeBytes < neededBytes) return `${needed} and ${Math.floor(freeBytes / MiB)} are free`;
  const most = isMemory ? availableBytes - reserveBytes : Number.POSITIVE_INFINITY;
  if (most >= neededBytes) return undefined;
  const available = Math.floor(availableBytes / MiB);
  return `${needed} of memory and ${available} are available, 1024 of which are left alone`;
}

function availableBytes(): number {
  const line = /^MemAvailable: +(\d+) kB$/m.exec(readFileSync("/proc/meminfo", "latin1"));
  return line === null ? freemem() : Number(line[1]) * 1024;
}
