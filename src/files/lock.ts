/** Holds an open file for this process alone, and lets go of it whatever way the process ends. */

import type { FileHandle } from "node:fs/promises";
import { StorageError } from "../errors.js";
import { lockByFile } from "./lock-file.js";
import { processThatHasOpen } from "./owner.js";
import { runProgram } from "./run-program.js";

/** Lets go of the lock. Never rejects. */
export type Unlock = () => Promise<void>;

/**
 * Locks an open file. The lock is `flock` on the open file description, taken by util-linux's
 * `flock` through an inherited descriptor: the kernel frees it even on `kill -9`, and no native
 * addon is needed. Where there is no `flock`, or the file system cannot lock, a lock file that
 * names our process takes its place. Throws StorageError, naming the lock and, where it can be
 * found out, its holder, when somebody else holds it.
 */
export async function lockFile(handle: FileHandle, path: string): Promise<Unlock> {
  const outcome = await flock(handle.fd);
  if (outcome === "locked") return async () => {};
  if (outcome === "unavailable") return lockByFile(path);
  const pid = await processThatHasOpen(path);
  const holder = pid === undefined ? "" : ` (process ${pid})`;
  throw new StorageError(
    `lock ${path}: another quorate is writing this output${holder}; wait for it or end it`,
  );
}

async function flock(fd: number): Promise<"locked" | "held" | "unavailable"> {
  const end = await runProgram("flock", ["-n", "3"], fd);
  // Only where there is none may a lock file do: the two kinds of lock do not see each other.
  if (end.kind === "missing") return "unavailable";
  const { code, killedBy, said } = end;
  if (killedBy !== null) throw new StorageError(`run flock: it was ended by ${killedBy}`);
  if (code === 0) return "locked";
  // Busybox exits with 1 for ENOLCK, too, but only of that it complains.
  return code === 1 && said === "" ? "held" : "unavailable";
}
