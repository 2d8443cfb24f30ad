/** Holds an open file for this process alone, and lets go of it whatever way the process ends. */

import { spawn } from "node:child_process";
import type { FileHandle } from "node:fs/promises";
import { StorageError } from "../errors.js";
import { lockByFile } from "./lock-file.js";
import { processThatHasOpen } from "./owner.js";
import { errorCode, storageError } from "./storage-error.js";

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

function flock(fd: number): Promise<"locked" | "held" | "unavailable"> {
  return new Promise((resolve, reject) => {
    const child = spawn("flock", ["-n", "3"], { stdio: ["ignore", "ignore", "pipe", fd] });
    let said = "";
    child.stderr?.on("data", (text: Buffer) => {
      said += text.toString("utf8");
    });
    // Only where there is none may a lock file do: the two kinds of lock do not see each other.
    child.once("error", (error) => {
      if (errorCode(error) === "ENOENT") resolve("unavailable");
      else reject(storageError("run", "flock", error));
    });
    child.once("close", (code, killedBy) => {
      if (killedBy !== null) reject(new StorageError(`run flock: it was ended by ${killedBy}`));
      else if (code === 0) resolve("locked");
      // Busybox exits with 1 for ENOLCK, too, but only of that it complains.
      else resolve(code === 1 && said === "" ? "held" : "unavailable");
    });
  });
}
