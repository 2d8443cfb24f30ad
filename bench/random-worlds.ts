/** Worlds drawn from a seed, all of their replicas honest, and how near the ideal they come. */

import { MiB } from "../src/limits/byte-units.js";
import type { RateAt } from "../test/simulation/link.js";
import { changing, steady, switching } from "../test/simulation/shapes.js";
import { Seeded } from "../test/support/seeded.js";
import { idealSeconds } from "./ideal.js";
import { medianOf } from "./report.js";
import { runQuorate } from "./run-quorate.js";
import type { ScheduleWorld, WorldReplica } from "./schedule-worlds.js";

/** A rate of 1 to 80 MB/s, as often below 9 as above. */
function someRate(random: Seeded): number {
  return 80 ** random.next();
}

/** Three in four are steady; the others fall silent, collapse or switch. */
function someShape(random: Seeded): RateAt {
  const rate = someRate(random);
  const atMs = 50 + random.below(3000);
  switch (random.below(12)) {
    case 0:
      return changing(rate, 0, atMs);
    case 1:
      return changing(rate, rate / (2 + random.below(50)), atMs);
    case 2:
      return switching(rate / (2 + random.below(10)), rate, 200 + random.below(2000), atMs);
    default:
      return steady(rate);
  }
}

/**
 * The first replica is steady: with nobody to rely on, no time is a good one. A file of 8 to 64 MiB
 * unless `megabytes` says otherwise.
 */
export function randomWorld(seed: number, megabytes?: number): ScheduleWorld {
  const random = new Seeded(seed);
  const drawn = (8 << random.below(4)) * MiB - random.below(1000);
  const size = megabytes === undefined ? drawn : megabytes * MiB;
  const shapes = Array.from({ length: 2 + random.below(8) }, (_, index) =>
    index === 0 ? steady(someRate(random)) : someShape(random),
  );
  const replicas = shapes.map((rateAt) => {
    return { rateAt, latencyMs: 1 + Math.round(250 * random.next() ** 3) };
  });
  const cap = random.below(5) === 0 ? { cap: 5 + random.below(100) } : {};
  return { name: `seed ${seed}`, size, replicas, ...cap, aim: 0.93 };
}

/** Who comes along in each world, when that is asked for. */
const slow = { rateAt: steady(0.1), latencyMs: 5 };
const silent = { rateAt: steady(0), latencyMs: 5 };

/** What cannot matter, and tells how much does: everybody is a little further away. */
const awayMs = 0.3;
/** So many such distances tell what a world takes in the median, whatever chance does to one. */
const distances = 8;
/** A slow replica more may cost so much. */
const slowMost = 1.02;

/** One world: its share of the ideal and of bytes in vain, in percent; times as ratios. */
interface RandomLine {
  readonly world: string;
  readonly share: number;
  readonly duplicates: number;
  readonly faults: number;
  readonly banned: number;
  /** Whether every rate stays as it is. */
  readonly keepsRates: boolean;
  /** The time with one more replica over the time without. */
  readonly withSlow?: number;
  /** The same of the medians over all distances; only of worlds where `withSlow` is too much. */
  readonly inMedian?: number;
  readonly withSilent?: number;
  /** The time when everybody is `awayMs` further away, over the time as it is. */
  readonly further?: number;
}

async function randomLine(world: ScheduleWorld, hasCompany: boolean): Promise<RandomLine> {
  const cap = (world.cap ?? Number.POSITIVE_INFINITY) * 1e6;
  const outcome = await runQuorate(world);
  const { seconds, wasted, faults, banned } = outcome;
  const ideal = idealSeconds(world.size, world.replicas, cap);
  const line = {
    world: world.name,
    share: (100 * ideal) / seconds,
    faults,
    banned,
    duplicates: (100 * wasted) / world.size,
    keepsRates: world.replicas.every(({ rateAt }) => keepsRate(rateAt)),
  };
  if (!hasCompany) return line;
  const times = async (replicas: readonly WorldReplica[]) =>
    (await runQuorate({ ...world, replicas })).seconds / seconds;
  const [withSlow, withSilent, further] = [
    await times([...world.replicas, slow]),
    await times([...world.replicas, silent]),
    await times(away(world.replicas, awayMs)),
  ];
  const company = { ...line, withSlow, withSilent, further };
  if (withSlow <= slowMost) return company;
  const beside = { ...world, replicas: [...world.replicas, slow] };
  return { ...company, inMedian: (await medianSeconds(beside)) / (await medianSeconds(world)) };
}

function keepsRate(rateAt: RateAt): boolean {
  const times = Array.from({ length: 12_000 }, (_, index) => 5 * index);
  return times.every((ms) => rateAt(ms) === rateAt(0));
}

function away(replicas: readonly WorldReplica[], ms: number): WorldReplica[] {
  return replicas.map((one) => ({ ...one, latencyMs: one.latencyMs + ms }));
}

async function medianSeconds(world: ScheduleWorld): Promise<number> {
  const seconds: number[] = [];
  for (let index = 1; index <= distances; index++) {
    const replicas = away(world.replicas, 0.1 * index);
    seconds.push((await runQuorate({ ...world, replicas })).seconds);
  }
  return medianOf(seconds.sort((left, right) => left - right));
}

export async function randomScore(
  worlds: number,
  {
    megabytes,
    hasCompany,
  }: { readonly megabytes: number | undefined; readonly hasCompany: boolean },
): Promise<readonly RandomLine[]> {
  const lines: RandomLine[] = [];
  for (let seed = 1; seed <= worlds; seed++) {
    lines.push(await randomLine(randomWorld(seed, megabytes), hasCompany));
  }
  return lines.sort((left, right) => left.share - right.share);
}

export function randomText(lines: readonly RandomLine[]): string {
  const sum = (of: (line: RandomLine) => number) => lines.reduce((all, line) => all + of(line), 0);
  const most = (some: readonly RandomLine[], of: (line: RandomLine) => number) =>
    Math.max(0, ...some.map(of)).toFixed(2);
  const worst = lines.slice(0, 5).map(({ world, share }) => `${share.toFixed(1)} (${world})`);
  const fifth = lines[Math.floor(lines.length / 20)]?.share ?? Number.NaN;
  const well = lines.filter(({ faults }) => faults === 0);
  const company = (what: string, bound: number, of: (line: RandomLine) => number | undefined) => {
    const ratios = lines.flatMap((line) => of(line) ?? []).sort((left, right) => left - right);
    if (ratios.length === 0) return [];
    const [median, last] = [medianOf(ratios), ratios.at(-1) ?? 0];
    const beyond = ratios.filter((ratio) => ratio > bound).length;
    const sooner = ratios.filter((ratio) => ratio < 1 / bound).length;
    const times = `median x${median.toFixed(3)}, worst x${last.toFixed(3)}`;
    return [`${what}: ${times}, beyond x${bound}: ${beyond}, sooner by as much: ${sooner}`];
  };
  const duplicates = sum((line) => line.duplicates) / lines.length;
  return [
    `\n${lines.length} random worlds: mean ${(sum(({ share }) => share) / lines.length).toFixed(1)} %, ` +
      `p5 ${fifth.toFixed(1)} %, worst ${worst.join(", ")}`,
    `duplicates ${duplicates.toFixed(3)} %, at most ${most(lines, (line) => line.duplicates)} % ` +
      `(without a fault ${most(well, (line) => line.duplicates)} %); ` +
      `honest replicas banned: ${sum(({ banned }) => banned)}`,
    ...company("one more, 0.1 MB/s", slowMost, ({ withSlow }) => withSlow),
    ...beyondText(lines),
    ...company("one more, silent", 1.25, ({ withSilent }) => withSilent),
    ...company(`all ${awayMs} ms further away`, slowMost, ({ further }) => further),
  ].join("\n");
}

/** Which of the worlds that a slow one made slower owe it to that one rather than to chance. */
function beyondText(lines: readonly RandomLine[]): string[] {
  if (lines.every(({ withSlow }) => withSlow === undefined)) return [];
  const keeping = lines.filter(({ keepsRates }) => keepsRates);
  const keptBeyond = keeping.filter(({ inMedian }) => inMedian !== undefined);
  const lasting = lines.filter(({ inMedian = 0 }) => inMedian > slowMost);
  const named = lasting.map(({ world, inMedian }) => ` (${world}, x${inMedian?.toFixed(3)})`);
  return [
    `  of those beyond, of the ${keeping.length} worlds that keep their rates: ` +
      `${keptBeyond.length}; beyond in the median of ${distances} distances, too: ` +
      `${lasting.length}${named.join("")}`,
  ];
}
