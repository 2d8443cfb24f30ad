/** Worlds drawn from a seed, all of their replicas honest, and how near the ideal they come. */

import type { RateAt } from "../test/simulation/link.js";
import { changing, steady, switching } from "../test/simulation/shapes.js";
import { Seeded } from "../test/support/seeded.js";
import { idealSeconds } from "./ideal.js";
import { runQuorate } from "./run-quorate.js";
import type { ScheduleWorld } from "./schedule-worlds.js";

const MiB = 1024 * 1024;

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

/** Shares of the ideal, in percent. */
export interface RandomScore {
  readonly worlds: number;
  readonly mean: number;
  readonly fifth: number;
  readonly worst: readonly { readonly world: string; readonly share: number }[];
  readonly duplicates: number;
  readonly banned: number;
}

export async function randomScore(worlds: number, megabytes?: number): Promise<RandomScore> {
  const shares: { world: string; share: number }[] = [];
  let [wasted, size, banned] = [0, 0, 0];
  for (let seed = 1; seed <= worlds; seed++) {
    const world = randomWorld(seed, megabytes);
    const cap = (world.cap ?? Number.POSITIVE_INFINITY) * 1e6;
    const outcome = await runQuorate(world);
    const ideal = idealSeconds(world.size, world.replicas, cap);
    shares.push({ world: world.name, share: (100 * ideal) / outcome.seconds });
    wasted += outcome.wasted;
    size += outcome.size;
    banned += outcome.banned;
  }
  shares.sort((left, right) => left.share - right.share);
  const mean = shares.reduce((sum, { share }) => sum + share, 0) / worlds;
  const fifth = shares[Math.floor(worlds / 20)]?.share ?? Number.NaN;
  const duplicates = (100 * wasted) / size;
  return { worlds, mean, fifth, worst: shares.slice(0, 5), duplicates, banned };
}

export function randomText(score: RandomScore): string {
  const worst = score.worst.map(({ world, share }) => `${share.toFixed(1)} (${world})`);
  return (
    `\n${score.worlds} random worlds: mean ${score.mean.toFixed(1)} %, ` +
    `p5 ${score.fifth.toFixed(1)} %, worst ${worst.join(", ")}; ` +
    `duplicates ${score.duplicates.toFixed(2)} %, honest replicas banned: ${score.banned}\n`
  );
}
