/**
 * What durability costs: the same download by the built program and by a copy of it that syncs
 * nothing, taking turns.
 */

import { spawn } from "node:child_process";
import { existsSync, rmSync } from "node:fs";
import { join } from "node:path";
import { unsyncedProgram } from "../test/durability/planted.js";
import { freePorts, mainPath, Running, startServing } from "../test/support/cli.js";
import { makeFile } from "./made-file.js";
import { medianOf } from "./report.js";

/** Unbundled, as the copy is: bundles start sooner. */
const synced = join(mainPath, "../../src/cli/main.js");

/** Seconds of each turn, and the median of the ratios. */
export interface Cost {
  readonly sizeBytes: number;
  readonly withSyncs: readonly number[];
  readonly withoutSyncs: readonly number[];
  readonly ratio: number;
}

/** Measures below `folder`, which decides the disk. `say` hears each turn. */
export async function runCost(
  folder: string,
  { sizeBytes, turns }: { readonly sizeBytes: number; readonly turns: number },
  say: (line: string) => void,
): Promise<Cost> {
  const source = join(folder, "file.bin");
  const digest = makeFile(source, sizeBytes);
  const ports = (await freePorts(4)).map(String);
  const env = { XDG_CACHE_HOME: join(folder, "cache") };
  const serving = await startServing(["-f", source, "-p", ...ports], { env });
  try {
    const unsynced = unsyncedProgram(join(folder, "unsynced"));
    const seconds = { with: [] as number[], without: [] as number[] };
    const output = join(folder, "out.bin");
    const turn = async (program: string) => {
      await flushed();
      const startedAt = performance.now();
      const args = ["get", "file.bin", "-o", output, "--digest", digest, "-p", ...ports];
      const { code, stderr } = await new Running(args, { program }).finished;
      if (code !== 0 || !existsSync(output)) throw new Error(`it ended with ${code}: ${stderr}`);
      const took = (performance.now() - startedAt) / 1000;
      rmSync(output);
      return took;
    };
    // The first of each only warms up.
    for (let number = -1; number < turns; number++) {
      const isFirst = number % 2 === 0;
      const one = await turn(isFirst ? synced : unsynced);
      const other = await turn(isFirst ? unsynced : synced);
      if (number < 0) continue;
      seconds.with.push(isFirst ? one : other);
      seconds.without.push(isFirst ? other : one);
      say(
        `turn ${number + 1}: with ${seconds.with.at(-1)?.toFixed(2)} s, without ${seconds.without.at(-1)?.toFixed(2)} s`,
      );
    }
    const ratios = seconds.with.map((took, index) => took / (seconds.without[index] ?? took));
    const { with: withSyncs, without: withoutSyncs } = seconds;
    return { sizeBytes, withSyncs, withoutSyncs, ratio: medianOf(ratios) };
  } finally {
    await serving.end();
  }
}

/** What earlier turns left in the cache must not be written during the next. */
function flushed(): Promise<void> {
  return new Promise((resolve, reject) => {
    const sync = spawn("sync", { stdio: "ignore" });
    sync.once("error", reject);
    sync.once("close", () => resolve());
  });
}
