/**
 * `npm run bench:durability [-- --only table|cost]`: what quorate and aria2 do in the same trouble,
 * and what durability costs on the disk here. `--folder` says which disk, `--mib` and `--turns` how
 * much.
 */

import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { MiB } from "../src/limits/byte-units.js";
import { runCost } from "./durability-cost.js";
import { type Row, runTable } from "./durability-table.js";
import { keep, say } from "./report.js";

const { values } = parseArgs({
  options: {
    only: { type: "string" },
    folder: { type: "string", default: tmpdir() },
    mib: { type: "string" },
    turns: { type: "string", default: "9" },
  },
});
const { only } = values;
if (only !== undefined && only !== "table" && only !== "cost") {
  say("usage: [--only table|cost] [--folder FOLDER] [--mib N] [--turns N]");
  process.exit(2);
}
if (only !== "cost") await table();
if (only !== "table") await cost();

async function table(): Promise<void> {
  await inFolder(async (folder) => {
    say("| trouble | quorate | aria2 |");
    say("|---|---|---|");
    const rows = await runTable(folder, Number(values.mib ?? 64) * MiB, (row: Row) =>
      say(`| ${row.trouble} | ${row.quorate} | ${row.aria2} |`),
    );
    keep("durability-table.json", rows);
  });
}

async function cost(): Promise<void> {
  await inFolder(async (folder) => {
    const much = { sizeBytes: Number(values.mib ?? 1024) * MiB, turns: Number(values.turns) };
    const measured = await runCost(folder, much, say);
    const times = `${measured.ratio.toFixed(3)} × the time without syncs`;
    say(`${much.sizeBytes / MiB} MiB, ${much.turns} turns: durability costs ${times} (median)`);
    keep("durability-cost.json", measured);
  });
}

async function inFolder(run: (folder: string) => Promise<void>): Promise<void> {
  const folder = mkdtempSync(join(values.folder, "quorate-bench-"));
  try {
    await run(folder);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
