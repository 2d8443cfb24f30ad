/**
 * Worlds for as long as you like: `npm run test:sim -- --worlds 1000000 [--seed S]`. Stops at the
 * first world that fails, and prints the line that replays it; with `--keep-going`, tells of each
 * and goes on.
 */

import { parseArgs } from "node:util";
import { Marks } from "./marks.js";
import { report, runSeed } from "./suite.js";

const { values } = parseArgs({
  options: {
    worlds: { type: "string" },
    seed: { type: "string" },
    "keep-going": { type: "boolean" },
  },
});
const worlds = Number(values.worlds ?? 10_000);
const first = Number(values.seed ?? process.env.SEED ?? Math.floor(Math.random() * 2 ** 31));
if (!Number.isSafeInteger(worlds) || worlds < 1) throw new Error("--worlds takes a whole number");
if (!Number.isSafeInteger(first) || first < 0) throw new Error("--seed takes a whole number");

/** Time between two lines of progress. */
const tellMs = 5000;
const startedAt = performance.now();
let toldAt = startedAt;
const progress = (done: number) => {
  const now = performance.now();
  if (done < worlds && now - toldAt < tellMs) return;
  toldAt = now;
  const perSecond = Math.round(done / ((now - startedAt) / 1000));
  process.stdout.write(`${done} of ${worlds} worlds from seed ${first}, ${perSecond} a second\n`);
};

const marks = new Marks();
let failed = 0;
for (let done = 0; done < worlds; done++) {
  try {
    await runSeed(first + done, marks);
  } catch (error) {
    failed++;
    process.stdout.write(`${report(error)}\n`);
    if (values["keep-going"] !== true) break;
  }
  progress(done + 1);
}
for (const [mark, count] of marks.counts) process.stdout.write(`  ${mark}: ${count}\n`);
const { unmet } = marks;
if (worlds >= 2000 && unmet.length > 0) {
  process.stdout.write(`never met: ${unmet.join(", ")}\n`);
  failed++;
}
process.exitCode = failed === 0 ? 0 : 1;
