/**
 * The named worlds with one more replica: a slow one must never make a download slower, and one
 * that stalls for ever only by what it takes to notice.
 */

import type { RateAt } from "../test/simulation/link.js";
import { changing, steady } from "../test/simulation/shapes.js";
import { runQuorate } from "./run-quorate.js";
import { scheduleWorlds } from "./schedule-worlds.js";

/** Who comes along, and how much longer a download may take with it. */
const companions: readonly (readonly [name: string, rateAt: RateAt, most: number])[] = [
  ["0.01 MB/s", steady(0.01), 1.02],
  ["0.1 MB/s", steady(0.1), 1.02],
  ["1 MB/s", steady(1), 1.02],
  ["silent", steady(0), 1.25],
  ["dark at 0.2 s", changing(20, 0, 200), 1.25],
];

/** One world: the time with each companion over the time without it. */
export interface CompanyLine {
  readonly world: string;
  readonly seconds: number;
  readonly times: Readonly<Record<string, number>>;
  /** The companions that cost more than they may. */
  readonly dear: readonly string[];
}

export async function companyLines(): Promise<CompanyLine[]> {
  const lines: CompanyLine[] = [];
  for (const world of scheduleWorlds) {
    const { seconds } = await runQuorate(world);
    const times: Record<string, number> = {};
    for (const [name, rateAt] of companions) {
      const replicas = [...world.replicas, { rateAt, latencyMs: 5 }];
      times[name] = (await runQuorate({ ...world, replicas })).seconds / seconds;
    }
    const dear = companions.flatMap(([name, , most]) => ((times[name] ?? 0) > most ? [name] : []));
    lines.push({ world: world.name, seconds, times, dear });
  }
  return lines;
}

export function companyText(lines: readonly CompanyLine[]): string {
  const names = companions.map(([name]) => name.padStart(13));
  const rows = lines.map(({ world, times, dear }) => {
    const cells = Object.values(times).map((time) => `x${time.toFixed(3)}`.padStart(13));
    return [world.padEnd(14), ...cells, dear.length > 0 ? "beyond its bound" : ""].join("  ");
  });
  return `\n${["one more".padEnd(14), ...names].join("  ")}\n${rows.join("\n")}`;
}
