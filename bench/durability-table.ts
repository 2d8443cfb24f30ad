/** The same six troubles for quorate and for aria2, one after the other, in one run. */

import { createHash } from "node:crypto";
import { existsSync, mkdirSync, rmSync, statSync, symlinkSync } from "node:fs";
import { dirname, join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { MiB } from "../src/limits/byte-units.js";
import { SmallDisk } from "../test/durability/full.js";
import { madeUp } from "../test/support/made-up.js";
import type { Broken } from "./durability-mirrors.js";
import {
  aria2,
  type Getting,
  quorate,
  type Setting,
  type Tool,
  verdictOf,
} from "./durability-tools.js";
import { isInstalled } from "./started.js";

/** Nobody needs longer for any of it; whoever does is ended. */
const mostMs = 180_000;

/** One row: what each tool did. */
export interface Row {
  readonly trouble: string;
  readonly quorate: string;
  readonly aria2: string;
}

interface Trouble {
  readonly title: string;
  readonly broken: Broken;
  run(tool: Tool, course: Course): Promise<string>;
}

interface Course {
  /** A folder that is empty. */
  readonly folder: string;
  readonly content: Buffer;
  readonly rate: number;
}

const troubles: readonly Trouble[] = [
  { title: "1 corrupt mirror of 4", broken: "corrupt", run: corrupt },
  { title: "1 mirror of 4 stalls for ever", broken: "stall", run: stalled },
  { title: "`kill -9` half-way, then again", broken: "nothing", run: killed },
  { title: "disk full half-way, then space freed", broken: "nothing", run: full },
  { title: "the output is a planted symlink", broken: "nothing", run: planted },
  { title: "two clients, one output", broken: "nothing", run: twoClients },
];

/** Runs all of it below `folder` with a file of `size` bytes; `say` hears each row as it comes. */
export async function runTable(
  folder: string,
  size: number,
  say: (row: Row) => void,
): Promise<readonly Row[]> {
  const content = madeUp(size);
  const sha256 = createHash("sha256").update(content).digest("hex");
  const rate = 4 * MiB;
  const hasRival = isInstalled("aria2c", "--version") && isInstalled("nginx", "-v");
  const rows: Row[] = [];
  for (const [index, { title, broken, run }] of troubles.entries()) {
    const cell = async (name: string, open: (setting: Setting) => Promise<Tool>) => {
      const tool = await open({
        folder: join(folder, `${index}-${name}`),
        content,
        sha256,
        rate,
        broken,
      });
      const place = join(folder, `${index}-${name}-got`);
      mkdirSync(place);
      try {
        return await run(tool, { folder: place, content, rate });
      } catch (error) {
        return `not measured: ${error instanceof Error ? error.message : error}`;
      } finally {
        await tool.close();
        rmSync(place, { recursive: true, force: true });
      }
    };
    const row = {
      trouble: title,
      quorate: await cell("quorate", quorate),
      aria2: hasRival ? await cell("aria2", aria2) : "not measured: aria2 or nginx is missing",
    };
    say(row);
    rows.push(row);
  }
  return rows;
}

async function corrupt(tool: Tool, { folder, content }: Course): Promise<string> {
  const output = join(folder, "out.bin");
  const first = await once(tool.get(output));
  const verdict = await verdictOf(output, content);
  const second = first === 0 ? "" : `; again: exit ${await once(tool.get(output))}`;
  return `exit ${first}, ${verdict}${second}`;
}

async function stalled(tool: Tool, { folder, content, rate }: Course): Promise<string> {
  const output = join(folder, "out.bin");
  const startedAt = performance.now();
  const code = await once(tool.get(output));
  const seconds = (performance.now() - startedAt) / 1000;
  const ideal = content.length / (3 * rate);
  const verdict = await verdictOf(output, content);
  return `exit ${code}, ${verdict}, ${seconds.toFixed(1)} s (ideal ${ideal.toFixed(1)} s)`;
}

async function killed(tool: Tool, { folder, content }: Course): Promise<string> {
  const output = join(folder, "out.bin");
  const getting = tool.get(output);
  await half(getting, content.length);
  getting.child.kill("SIGKILL");
  await getting.ended;
  const had = await getting.hasBytes();
  // The servers note what they sent when they see that the reader is gone.
  await pause(1000);
  tool.sentBytes();
  const again = tool.get(output);
  const code = await once(again);
  await pause(500);
  const fetched = tool.sentBytes() ?? content.length - again.resumedBytes();
  const twice = Math.max(0, had + fetched - content.length);
  const verdict = await verdictOf(output, content);
  return `exit ${code}, ${verdict}, ${mebi(twice)} of ${mebi(had)} fetched again`;
}

async function full(tool: Tool, { folder, content }: Course): Promise<string> {
  const disk = await SmallDisk.make(join(folder, "disk"), content.length + 8 * MiB);
  try {
    const output = join(disk.mountpoint, "out.bin");
    const getting = tool.get(output);
    await half(getting, content.length);
    await disk.fill();
    const first = await once(getting);
    const control = sizeOf(tool.besides(output).control);
    await disk.free();
    const second = await once(tool.get(output));
    const verdict = await verdictOf(output, content);
    return `exit ${first}, its list of ${control} bytes; again: exit ${second}, ${verdict}`;
  } finally {
    await disk.remove();
  }
}

async function planted(tool: Tool, { folder, content }: Course): Promise<string> {
  const victim = join(folder, "elsewhere", "victim");
  mkdirSync(dirname(victim));
  const output = join(folder, "out.bin");
  symlinkSync(victim, output);
  const code = await once(tool.get(output));
  const isWhole = !existsSync(victim);
  const end = isWhole ? "nothing is written through it" : "it writes through it";
  return `exit ${code}, ${end}${isWhole && code === 0 ? `, ${await verdictOf(output, content)}` : ""}`;
}

async function twoClients(tool: Tool, { folder, content }: Course): Promise<string> {
  const output = join(folder, "out.bin");
  const first = tool.get(output);
  while ((await first.hasBytes()) === 0 && first.child.exitCode === null) await pause(20);
  const startedAt = performance.now();
  const second = await once(tool.get(output));
  const seconds = (performance.now() - startedAt) / 1000;
  const codes = `exit ${await once(first)} and ${second} (after ${seconds.toFixed(1)} s)`;
  await pause(500);
  const sent = tool.sentBytes();
  const traffic =
    sent === undefined ? "" : `, ${(sent / content.length).toFixed(1)} × the file sent`;
  return `${codes}, ${await verdictOf(output, content)}${traffic}`;
}

/** Waits for its end; whoever takes too long is ended. */
async function once({ child, ended }: Getting): Promise<number | string> {
  const timer = setTimeout(() => child.kill("SIGKILL"), mostMs);
  const code = await ended;
  clearTimeout(timer);
  return code;
}

async function half(getting: Getting, size: number): Promise<void> {
  while ((await getting.hasBytes()) < size / 2 && getting.child.exitCode === null) await pause(10);
}

function sizeOf(path: string): number {
  return statSync(path, { throwIfNoEntry: false })?.size ?? 0;
}

function mebi(bytes: number): string {
  return `${(bytes / MiB).toFixed(1)} MiB`;
}
