/** Holds an open file for this process alone, and lets go of it whatever way the process ends. */

import { spawn } from "node:child_process";
import { type FileHandle, open, readFile, unlink } from "node:fs/promises";
import { StorageError } from "../errors.js";
import { errorCode, storageError } from "./storage-error.js";

/** Lets go of the lock. */
export type Unlock = () => Promise<void>;

/**
 * Locks an open file. The lock is `flock` on the open file description, taken by util-linux's
 * `flock`
 * through an inherited descriptor: the kernel frees it even on `kill -9`, and no native addon is
 * needed.
 * Where there is no `flock`, a lock file with our process id takes its place. Throws StorageError,
 * naming
 * the lock, when somebody else holds it.
 */
export async function lockFile(handle: FileHandle, path: string): Promise<Unlock> {
  const outcome = await flock(handle.fd);
  if (outcome === "locked") return async () => {};
  if (outcome === "held") throw heldError(path);
  return lockByFile(`${path}.lock`, path);
}

function flock(fd: number): Promise<"locked" | "held" | "unavailable"> {
  return new Promise((resolve) => {
    const child = spawn("flock", ["-n", "3"], { stdio: ["ignore", "ignore", "ignore", fd] });
    child.once("error", () => resolve("unavailable"));
    child.once("exit", (code) => {
      resolve(code === 0 ? "locked" : code === 1 ? "held" : "unavailable");
    });
  });
}

async function lockByFile(lockPath: string, path: string): Promise<Unlock> {
  for (let attempt = 0; attempt < 2; attempt++) {
    try {
      const lock = await open(lockPath, "wx", 0o600);
      await lock.writeFile(String(process.pid));
      await lock.close();
      return async () => {
        // Gone already is as good as unlocked.
        await unlink(lockPath).catch(() => {});
      };
    } catch (error) {
      if (errorCode(error) !== "EEXIST") throw storageError("lock", lockPath, error);
      if (await isHeldByLiving(lockPath)) throw heldError(path);
      // Its owner is dead: the lock is stale, and the next attempt decides who gets it.
      await unlink(lockPath).catch(() => {});
    }
  }
  throw heldError(path);
}

async function isHeldByLiving(lockPath: string): Promise<boolean> {
  const pid = Number(await readFile(lockPath, "utf8").catch(() => ""));
  if (!Number.isInteger(pid) || pid <= 0) return false;
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return errorCode(error) === "EPERM";
  }
}

function heldError(path: string): StorageError {
  return new StorageError(
    `lock ${path}: another quorate is writing this output; wait for it or end it`,
  );
}
