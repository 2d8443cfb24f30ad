/**
 * Four ways in which other downloaders divide a file, for comparison only: equal split, a queue of
 * 4 MiB blocks, the same with an endgame, and stealing half. Written as kindly as they are usually
 * meant: no work is lost, and whoever is silent for 10 s loses what it was doing.
 */

import { Link } from "../test/simulation/link.js";
import { VirtualClock } from "../test/support/virtual-clock.js";
import type { ScheduleWorld } from "./schedule-worlds.js";

const chunkBytes = 64 * 1024;
const blockBytes = 4 * 1024 * 1024;
const leastStolenBytes = 256 * 1024;
const stallMs = 10_000;

/** A stretch of the file; `start` moves up as bytes come, `end` down when somebody steals. */
interface Stretch {
  start: number;
  end: number;
}

/** What a strategy works with: so many workers, one a replica, in virtual time. */
interface Floor {
  readonly workers: number;
  readonly size: number;
  /** Reads a stretch; false when the replica fell silent, and `start` says how far it came. */
  fetch(worker: number, stretch: Stretch, isWanted?: () => boolean): Promise<boolean>;
}

type Strategy = (floor: Floor) => Promise<void>;

/** Each strategy by name. */
export const baselines: Readonly<Record<string, Strategy>> = {
  "equal split": equalSplit,
  "4 MiB queue": (floor) => queue(floor, false),
  "queue + endgame": (floor) => queue(floor, true),
  "steal half": stealHalf,
};

/** Seconds that a strategy takes in a world. */
export async function runBaseline(strategy: Strategy, world: ScheduleWorld): Promise<number> {
  const clock = new VirtualClock();
  const { cap } = world;
  const client = cap === undefined ? undefined : new Link(() => cap * 1e6);
  const replicas = world.replicas.map(({ rateAt, latencyMs }) => {
    return { link: new Link(rateAt), latencyMs };
  });
  async function fetch(worker: number, stretch: Stretch, isWanted = () => true): Promise<boolean> {
    const replica = replicas[worker];
    if (replica === undefined) throw new Error(`there is no worker ${worker}`);
    await clock.sleep(replica.latencyMs);
    while (stretch.start < stretch.end && isWanted()) {
      const bytes = Math.min(chunkBytes, stretch.end - stretch.start);
      const waitMs = replica.link.pass(bytes, clock.now()) - clock.now();
      await clock.sleep(Math.min(waitMs, stallMs));
      if (waitMs > stallMs) return false;
      if (client !== undefined) await clock.sleep(client.pass(bytes, clock.now()) - clock.now());
      stretch.start += bytes;
    }
    return true;
  }
  let doneAt = 0;
  const floor: Floor = {
    workers: replicas.length,
    size: world.size,
    async fetch(worker, stretch, isWanted) {
      const isDone = await fetch(worker, stretch, isWanted);
      if (isDone) doneAt = Math.max(doneAt, clock.now());
      return isDone;
    },
  };
  await strategy(floor);
  return doneAt / 1000;
}

async function everyWorker(floor: Floor, work: (worker: number) => Promise<void>): Promise<void> {
  await Promise.all(Array.from({ length: floor.workers }, (_, worker) => work(worker)));
}

function regionsOf({ workers, size }: Floor): Stretch[] {
  return Array.from({ length: workers }, (_, worker) => ({
    start: Math.floor((worker * size) / workers),
    end: Math.floor(((worker + 1) * size) / workers),
  }));
}

async function equalSplit(floor: Floor): Promise<void> {
  const abandoned: Stretch[] = [];
  const regions = regionsOf(floor);
  await everyWorker(floor, async (worker) => {
    let mine = regions[worker];
    while (mine !== undefined) {
      if (!(await floor.fetch(worker, mine))) {
        abandoned.push(mine);
        return;
      }
      mine = abandoned.pop();
    }
  });
  // Who was done before somebody gave up comes back for it.
  for (const left of abandoned) {
    const helper = regions.findIndex((region) => region.start >= region.end);
    await floor.fetch(Math.max(0, helper), left);
  }
}

async function queue(floor: Floor, hasEndgame: boolean): Promise<void> {
  const waiting: Stretch[] = [];
  for (let start = 0; start < floor.size; start += blockBytes) {
    waiting.push({ start, end: Math.min(start + blockBytes, floor.size) });
  }
  const running = new Set<Stretch>();
  const done = new Set<Stretch>();
  await everyWorker(floor, async (worker) => {
    for (;;) {
      const block = waiting.shift();
      if (block === undefined && (!hasEndgame || !(await doubleUp(worker)))) return;
      if (block === undefined) continue;
      running.add(block);
      const isDone = await floor.fetch(worker, block, () => !done.has(block));
      running.delete(block);
      if (isDone) done.add(block);
      else if (!done.has(block)) {
        waiting.push(block);
        return;
      }
    }
  });
  for (const left of waiting.splice(0)) await floor.fetch(0, left);

  /** The endgame: fetches the block that has most left a second time, from its beginning. */
  async function doubleUp(worker: number): Promise<boolean> {
    const [worst] = [...running].sort((a, b) => b.end - b.start - (a.end - a.start));
    if (worst === undefined) return false;
    const begin = Math.max(0, worst.end - blockBytes);
    const copy = { start: begin, end: worst.end };
    if (await floor.fetch(worker, copy, () => !done.has(worst) && running.has(worst))) {
      done.add(worst);
      running.delete(worst);
    }
    return true;
  }
}

async function stealHalf(floor: Floor): Promise<void> {
  const regions = regionsOf(floor);
  const isGone = new Set<number>();
  await everyWorker(floor, async (worker) => {
    for (;;) {
      const mine = regions[worker];
      if (mine === undefined) return;
      if (!(await floor.fetch(worker, mine))) {
        isGone.add(worker);
        return;
      }
      const [victim] = [...regions].sort((a, b) => b.end - b.start - (a.end - a.start));
      if (victim === undefined || victim.end - victim.start < leastStolenBytes) return;
      const middle = Math.floor((victim.start + victim.end) / 2);
      regions[worker] = { start: middle, end: victim.end };
      victim.end = middle;
    }
  });
  for (const left of regions) {
    const helper = regions.findIndex((_, worker) => !isGone.has(worker));
    if (left.start < left.end) await floor.fetch(Math.max(0, helper), left);
  }
}
