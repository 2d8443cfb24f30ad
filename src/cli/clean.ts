/** `quorate clean`: lists what downloads that ended early left, and removes it once told so. */

import { createInterface } from "node:readline/promises";
import {
  cleanText,
  exitCodes,
  findLeftovers,
  InterruptedError,
  type Leftover,
  type Removal,
  removeLeftovers,
} from "../index.js";
import { ageText, bytesText, countText, table } from "./format.js";
import { print, printJson } from "./terminal.js";

/** The flags of `clean`, parsed. */
export interface CleanFlags {
  readonly yes?: boolean | undefined;
  /** Milliseconds. */
  readonly olderThan?: number | undefined;
  readonly json?: boolean | undefined;
}

export async function runClean(folders: readonly string[], flags: CleanFlags): Promise<void> {
  const found: Leftover[] = [];
  for (const folder of folders.length === 0 ? ["."] : folders) {
    found.push(...(await findLeftovers(folder)));
  }
  // A folder that is named twice is looked into once.
  const once = new Map(found.map((leftover) => [leftover.path, leftover]));
  const old = [...once.values()].filter(({ ageMs }) => ageMs >= (flags.olderThan ?? 0));
  const removable = old.filter(({ keptBecause }) => keptBecause === undefined);
  const isJson = flags.json === true;
  if (isJson) for (const leftover of old) printJson(leftoverJson(leftover));
  else for (const line of leftoverLines(old)) print(line);
  if (!isJson && old.length === 0) process.stderr.write("clean: nothing is left over\n");
  if (removable.length === 0) return;
  if (flags.yes !== true && !(await isToldSo(removable, isJson))) return;
  const removals = await removeLeftovers(removable);
  if (removals.some(({ problem }) => problem !== undefined)) process.exitCode = exitCodes.storage;
  tell(removals, isJson);
}

function leftoverJson({ path, kind, size, ageMs, keptBecause }: Leftover): object {
  const kept = keptBecause === undefined ? {} : { keptBecause };
  return { event: "leftover", path, kind, size, ageSeconds: Math.floor(ageMs / 1000), ...kept };
}

function leftoverLines(leftovers: readonly Leftover[]): string[] {
  if (leftovers.length === 0) return [];
  const rows = leftovers.map(({ path, kind, size, ageMs, keptBecause }) => [
    cleanText(path),
    kind,
    bytesText(size),
    ageText(ageMs / 1000),
    keptBecause === undefined ? "" : `kept: ${keptBecause}`,
  ]);
  return table(["left over", "what", "size", "age", ""], rows, ["size", "age"]);
}

/** Asks a person; who is none must say `--yes`. */
async function isToldSo(removable: readonly Leftover[], isJson: boolean): Promise<boolean> {
  const many = countText(removable.length, "file");
  if (isJson || process.stdin.isTTY !== true) {
    process.stderr.write(`clean: nothing is removed; --yes removes ${many}\n`);
    return false;
  }
  const terminal = createInterface({ input: process.stdin, output: process.stderr });
  try {
    const size = bytesText(sizeOf(removable));
    const answer = await terminal.question(`remove ${many} (${size})? [y/N] `);
    return /^y(es)?$/i.test(answer.trim());
  } catch (error) {
    // Ctrl-C and Ctrl-D.
    if (!(error instanceof Error) || error.name !== "AbortError") throw error;
    throw new InterruptedError("clean: interrupted: nothing is removed");
  } finally {
    terminal.close();
  }
}

function tell(removals: readonly Removal[], isJson: boolean): void {
  const removed = removals.filter(({ problem }) => problem === undefined);
  for (const { leftover, problem } of removals) {
    const { path, size } = leftover;
    if (problem !== undefined) process.stderr.write(`clean: ${problem}\n`);
    if (!isJson) continue;
    if (problem === undefined) printJson({ event: "removed", path, size });
    else printJson({ event: "not-removed", path, reason: problem });
  }
  if (isJson) return;
  const size = bytesText(sizeOf(removed.map(({ leftover }) => leftover)));
  process.stderr.write(`clean: removed ${countText(removed.length, "file")}, ${size}\n`);
}

function sizeOf(leftovers: readonly Leftover[]): number {
  return leftovers.reduce((sum, { size }) => sum + size, 0);
}
