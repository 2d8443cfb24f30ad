/**
 * `npm run bench:far [-- --delays 20,50,100 --rounds N]`: four servers behind links of 100 Mbit/s,
 * as many milliseconds away as `--delays` says, there and back: what share of the sum of the links
 * the file came with, beside aria2 fed by nginx through the very same proxy. Every tool takes its
 * turn in each round; time counts from the start of the process to its end.
 */

import { existsSync } from "node:fs";
import { parseArgs } from "node:util";
import { MiB } from "../src/limits/byte-units.js";
import { mainPath } from "../test/support/cli.js";
import { measure, present, type WorldResult } from "./real-sockets.js";
import { realWorld } from "./real-worlds.js";
import { keep, machine, medianOf, sayRow } from "./report.js";

const { values } = parseArgs({
  options: {
    delays: { type: "string", default: "20,50,100" },
    rounds: { type: "string", default: "3" },
    size: { type: "string" },
  },
});

function say(cells: readonly (string | number)[]): void {
  sayRow(cells, 14);
}

/** What each tool's laps were, as shares of what the links together carry. */
function sharesOf({ sizeMiB, laps }: WorldResult, linksPerSecond: number) {
  const shareOf = (seconds: number) => (sizeMiB * MiB) / seconds / linksPerSecond;
  return Object.entries(laps).map(([tool, runs]) => {
    const shares = runs.map(({ wallSeconds }) => shareOf(wallSeconds));
    return { tool, shares, share: medianOf(shares) };
  });
}

if (!existsSync(mainPath)) throw new Error("first: npm run build");
const contestants = present();
say(["ms", "MiB", ...contestants.map(({ name }) => name)]);
const results = [];
for (const delay of values.delays.split(",")) {
  const size = values.size === undefined ? undefined : Number(values.size);
  const world = realWorld(`far ${delay} ms`, size);
  const linksPerSecond = world.replicas.reduce((sum, { rateAt }) => sum + rateAt(0), 0);
  const result = await measure(world, contestants, Number(values.rounds));
  const shares = sharesOf(result, linksPerSecond);
  say([delay, result.sizeMiB, ...shares.map(({ share }) => `${(100 * share).toFixed(1)} %`)]);
  results.push({ delayMs: Number(delay), sizeMiB: result.sizeMiB, linksPerSecond, shares });
}
keep("far.json", { machine, rounds: Number(values.rounds), results });
