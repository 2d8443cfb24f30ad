/** Folders, small disks and ordinary users for tests of what really happens on a disk. */

import { spawnSync } from "node:child_process";
import { mkdtempSync, rmdirSync } from "node:fs";
import { chmod, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

/** The path of `names` below the folder; of the folder itself without any. */
export type At = (...names: readonly string[]) => string;

/**
 * A new folder for each test of the enclosing `describe`, removed after it with all that is in it.
 */
export function scratchFolder(): At {
  let folder = "";
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), "quorate-test-"));
    // `asOrdinaryUser` must be able to enter it.
    await chmod(folder, 0o755);
  });
  afterEach(() => rm(folder, { recursive: true, force: true }));
  return (...names) => join(folder, ...names);
}

/** Why there can be no small disk here, as an end for a title; empty when there can. */
export function smallDiskProblem(): string {
  if (process.getuid?.() !== 0) return " (skipped: mounting a small disk needs root)";
  const folder = mkdtempSync(join(tmpdir(), "quorate-test-"));
  const problem = mount(folder, 64 * 1024) ? "" : " (skipped: nothing can be mounted here)";
  if (problem === "") unmount(folder);
  rmdirSync(folder);
  return problem;
}

/**
 * A new disk of so many bytes for each test of the enclosing `describe`. See `smallDiskProblem`.
 */
export function smallDisk(bytes: number): At {
  // Before the folder is removed: hooks run in the order in which they were registered.
  afterEach(() => unmount(at()));
  const at = scratchFolder();
  beforeEach(() => {
    if (!mount(at(), bytes)) throw new Error("no small disk can be mounted");
  });
  return at;
}

/**
 * Runs this as somebody whom permissions stop: root, who often runs these tests, passes them all.
 */
export async function asOrdinaryUser<T>(run: () => Promise<T>): Promise<T> {
  if (process.getuid?.() !== 0 || process.seteuid === undefined) return run();
  process.seteuid(65534);
  try {
    return await run();
  } finally {
    process.seteuid(0);
  }
}

/** Runs this where no other program (`flock`, `fallocate`) can be found. */
export async function withoutPrograms<T>(run: () => Promise<T>): Promise<T> {
  const { PATH } = process.env;
  process.env.PATH = "/nonexistent";
  try {
    return await run();
  } finally {
    process.env.PATH = PATH;
  }
}

function mount(folder: string, bytes: number): boolean {
  const { status } = spawnSync("mount", ["-t", "tmpfs", "-o", `size=${bytes}`, "none", folder]);
  return status === 0;
}

function unmount(folder: string): void {
  spawnSync("umount", ["-l", folder]);
}
