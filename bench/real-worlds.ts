/** The named worlds, scaled down so that they fit real sockets between processes on two cores. */

import { MiB } from "../src/limits/byte-units.js";
import { changing, steady } from "../test/simulation/shapes.js";
import { idealSeconds } from "./ideal.js";
import { type ScheduleWorld, scheduleWorlds, type WorldReplica } from "./schedule-worlds.js";

/** The table's 50 MB/s a server become 10. */
export const scale = 1 / 5;
/** What a run takes at best: long enough that process start and survey do not decide. */
const aimSeconds = 5.5;

/** A world by name. `sizeMiB`: how large the file is; else so large that the ideal takes 5.5 s. */
export function realWorld(name: string, sizeMiB?: number): ScheduleWorld {
  const far = farWorld(name);
  if (far !== undefined) return { ...far, size: (sizeMiB ?? sizeOf(far)) * MiB };
  const world = scheduleWorlds.find((known) => known.name === name);
  if (world === undefined) throw new Error(`there is no world called ${name}`);
  // These are small, or slow, by themselves.
  if (name === "small") return { ...scaled(world), size: (sizeMiB ?? 8) * MiB };
  const real = name === "slow together" ? world : scaled(world);
  const size = (sizeMiB ?? sizeOf(real)) * MiB;
  return name === "collapse" ? collapsing({ ...real, size }) : { ...real, size };
}

/** Four links of 100 Mbit/s, each so many milliseconds long, there and back: `far N ms`. */
function farWorld(name: string): ScheduleWorld | undefined {
  const [, latencyMs] = /^far (\d+) ms$/.exec(name) ?? [];
  if (latencyMs === undefined) return undefined;
  const replica = { rateAt: steady(12.5), latencyMs: Number(latencyMs) };
  return { name, size: 0, replicas: Array(4).fill(replica), aim: 0.9 };
}

function scaled(world: ScheduleWorld): ScheduleWorld {
  const replicas = world.replicas.map(({ rateAt, latencyMs }): WorldReplica => {
    return { rateAt: (ms) => rateAt(ms) * scale, latencyMs };
  });
  return { ...world, replicas, ...(world.cap === undefined ? {} : { cap: world.cap * scale }) };
}

/** One of four falls to a hundredth when 85 % of the file would be there. */
function collapsing(world: ScheduleWorld): ScheduleWorld {
  const rate = 50 * scale;
  const atMs = ((0.85 * world.size) / (4 * rate * 1e6)) * 1000;
  const latencyMs = world.replicas[0]?.latencyMs ?? 0;
  const rates = [steady(rate), steady(rate), steady(rate), changing(rate, rate / 100, atMs)];
  return { ...world, replicas: rates.map((rateAt) => ({ rateAt, latencyMs })) };
}

/** The most whole MiB that the ideal gets within the time aimed at. */
function sizeOf(world: ScheduleWorld): number {
  // At its full rates: when it collapses depends on its size.
  const { replicas, cap } = world.name === "collapse" ? equalOf(world) : world;
  let low = 1;
  let high = 4096;
  while (low < high) {
    const middle = Math.ceil((low + high) / 2);
    const seconds = idealSeconds(middle * MiB, replicas, capOf(cap));
    if (seconds <= aimSeconds) low = middle;
    else high = middle - 1;
  }
  return low;
}

function equalOf(world: ScheduleWorld): ScheduleWorld {
  const first = world.replicas[0];
  return first === undefined ? world : { ...world, replicas: world.replicas.map(() => first) };
}

/** Bytes a second that the client's link takes. */
export function capOf(megabytes: number | undefined): number {
  return (megabytes ?? Number.POSITIVE_INFINITY) * 1e6;
}
