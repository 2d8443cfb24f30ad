/** Holds an open file for this process alone, and lets go of it whatever way the process ends. */

import { spawn } from "node:child_process";
import { randomUUID } from "node:crypto";
import { type FileHandle, link, readFile, rename, unlink, writeFile } from "node:fs/promises";
import { StorageError } from "../errors.js";
import { errorCode, storageError } from "./storage-error.js";

/** Lets go of the lock. */
export type Unlock = () => Promise<void>;

/**
 * Locks an open file. The lock is `flock` on the open file description, taken by util-linux's
 * `flock` through an inherited descriptor: the kernel frees it even on `kill -9`, and no native
 * addon is needed. Where there is no `flock`, a lock file with our process id takes its place.
 * Throws StorageError, naming the lock, when somebody else holds it.
 */
export async function lockFile(handle: FileHandle, path: string): Promise<Unlock> {
  const outcome = await flock(handle.fd);
  if (outcome === "locked") return async () => {};
  if (outcome === "held") throw heldError(path);
  return lockByFile(`${path}.lock`, path);
}

function flock(fd: number): Promise<"locked" | "held" | "unavailable"> {
  return new Promise((resolve, reject) => {
    const child = spawn("flock", ["-n", "3"], { stdio: ["ignore", "ignore", "ignore", fd] });
    // Only where there is none may a lock file do: the two kinds of lock do not see each other.
    child.once("error", (error) => {
      if (errorCode(error) === "ENOENT") resolve("unavailable");
      else reject(storageError("run", "flock", error));
    });
    child.once("exit", (code, killedBy) => {
      if (killedBy !== null) reject(new StorageError(`run flock: it was ended by ${killedBy}`));
      else resolve(code === 0 ? "locked" : code === 1 ? "held" : "unavailable");
    });
  });
}

async function lockByFile(lockPath: string, path: string): Promise<Unlock> {
  // Written before it gets the lock's name: nobody ever sees a lock without its owner.
  const draft = `${lockPath}.${randomUUID()}`;
  try {
    await writeFile(draft, String(process.pid), { flag: "wx", mode: 0o600 });
    if (!(await linkIfFree(draft, lockPath)) && !(await takeOver(draft, lockPath))) {
      throw heldError(path);
    }
  } catch (error) {
    throw storageError("lock", lockPath, error);
  } finally {
    await unlink(draft).catch(() => {});
  }
  return async () => {
    // Gone already is as good as unlocked.
    await unlink(lockPath).catch(() => {});
  };
}

/**
 * Replaces a dead owner's lock. Only who holds the marker may, and looks again once he holds it: of
 * many who saw the same dead owner, the second would otherwise remove the first one's new lock.
 */
async function takeOver(draft: string, lockPath: string): Promise<boolean> {
  const marker = `${lockPath}.taking`;
  if (!(await linkIfFree(draft, marker))) return false;
  try {
    if (await isHeldByLiving(lockPath)) return false;
    await rename(draft, lockPath);
    return true;
  } finally {
    await unlink(marker).catch(() => {});
  }
}

async function linkIfFree(from: string, to: string): Promise<boolean> {
  try {
    await link(from, to);
    return true;
  } catch (error) {
    if (errorCode(error) === "EEXIST") return false;
    throw error;
  }
}

async function isHeldByLiving(lockPath: string): Promise<boolean> {
  const text = await readFile(lockPath, "utf8").catch(() => undefined);
  // Just let go of: by now it may be somebody else's.
  if (text === undefined) return true;
  const pid = Number(text);
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
