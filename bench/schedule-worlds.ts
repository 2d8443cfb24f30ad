/** The named worlds in which schedules are compared. */

import { MiB } from "../src/limits/byte-units.js";
import type { RateAt } from "../test/simulation/link.js";
import { changing, steady, switching } from "../test/simulation/shapes.js";

/** One replica of a world. */
export interface WorldReplica {
  readonly rateAt: RateAt;
  readonly latencyMs: number;
  /** Bytes per second of one connection, when that is less than the link carries. */
  readonly connectionRate?: number;
  /** Connections that it takes from one client; any number by default. */
  readonly connections?: number;
  /** Bytes of a read that lie in buffers on the way. */
  readonly bufferBytes?: number;
  /** Whether its bytes are told of no sooner than on a connection of our own. */
  readonly isGathered?: boolean;
}

/** A world: who is there, how large the file is, and what the client's link takes. */
export interface ScheduleWorld {
  readonly name: string;
  readonly size: number;
  readonly replicas: readonly WorldReplica[];
  /** Megabytes a second. */
  readonly cap?: number;
  /** What it takes the client to decide what to do; no time by default. */
  readonly decidingMs?: number;
  /** The share of the ideal that is aimed at. */
  readonly aim: number;
}

const near = 5;
const size = 256 * MiB;

function all(rates: readonly RateAt[], latencyMs = near): WorldReplica[] {
  return rates.map((rateAt) => ({ rateAt, latencyMs }));
}

/** The collapse comes when 85 % of the file would be there. */
const collapseAtMs = ((0.85 * size) / 200e6) * 1000;

export const scheduleWorlds: readonly ScheduleWorld[] = [
  { name: "equal", size, replicas: all([50, 50, 50, 50].map(steady)), aim: 0.97 },
  { name: "mixed", size, replicas: all([10, 20, 40, 80].map(steady)), aim: 0.97 },
  { name: "straggler", size, replicas: all([50, 50, 50, 1].map(steady)), aim: 0.97 },
  {
    name: "switching",
    size,
    replicas: all([0, 1, 2, 3].map((index) => switching(10, 80, 1000, index * 500))),
    aim: 0.92,
  },
  {
    name: "dark",
    size,
    replicas: all([steady(50), steady(50), steady(50), changing(50, 0, 600)]),
    aim: 0.9,
  },
  { name: "far", size, replicas: all([25, 25, 25, 25].map(steady), 150), aim: 0.97 },
  {
    name: "spread",
    size,
    replicas: [20, 30, 40, 50, 60].map((rate, index) => ({
      rateAt: steady(rate),
      latencyMs: [5, 250, 60, 120, 20][index] ?? near,
    })),
    aim: 0.95,
  },
  {
    name: "collapse",
    size,
    replicas: all([steady(50), steady(50), steady(50), changing(50, 0.5, collapseAtMs)]),
    aim: 0.95,
  },
  {
    name: "many",
    size,
    replicas: all(Array.from({ length: 16 }, (_, index) => steady(2 + (38 * index) / 15))),
    aim: 0.92,
  },
  { name: "capped", size, replicas: all([100, 100, 100, 100].map(steady)), cap: 120, aim: 0.97 },
  { name: "small", size: 8 * MiB, replicas: all([50, 50, 50, 50].map(steady)), aim: 0.92 },
  { name: "slow together", size: 16 * MiB, replicas: all([1, 1, 1, 1].map(steady)), aim: 0.92 },
];
