/** How benches tell what they found, and where they keep it. */

import { mkdirSync, writeFileSync } from "node:fs";
import { cpus } from "node:os";
import { join } from "node:path";

/** Where figures were taken: they mean nothing beside those of another machine. */
export const machine = { node: process.version, cores: cpus().length, model: cpus()[0]?.model };

/** Prints a line. */
export function say(line: string): void {
  process.stdout.write(`${line}\n`);
}

/** Prints a row of cells, each so many columns wide. */
export function sayRow(cells: readonly (string | number)[], columns: number): void {
  say(cells.map((cell) => String(cell).padStart(columns)).join(""));
}

const results = join(import.meta.dirname, "results");

/** Writes figures as JSON into a folder, `bench/results/` by default, over those of the last run. */
export function keep(name: string, figures: unknown, folder = results): void {
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, name), `${JSON.stringify(figures, null, 2)}\n`);
}

/** The middle one, or the mean of the two in the middle; NaN of none. */
export function medianOf(values: readonly number[]): number {
  const sorted = values.toSorted((left, right) => left - right);
  const upper = sorted[Math.floor(sorted.length / 2)] ?? Number.NaN;
  const lower = sorted[Math.ceil(sorted.length / 2) - 1] ?? Number.NaN;
  return (lower + upper) / 2;
}
