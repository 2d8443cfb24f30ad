/**
 * Worlds made from a seed: who is there, how fast, how far, and what goes wrong with whom and when.
 */

import { Seeded } from "../support/seeded.js";
import type { RateAt } from "./link.js";
import { changing, steady, switching } from "./shapes.js";

/** What can be wrong with a simulated replica. Times are virtual milliseconds. */
export type Trouble =
  | { readonly kind: "none" }
  | { readonly kind: "lie" }
  | { readonly kind: "changes-its-story" }
  | { readonly kind: "corrupt"; readonly share: number }
  | { readonly kind: "short"; readonly share: number }
  | { readonly kind: "away"; readonly from: number; readonly until: number }
  | { readonly kind: "busy"; readonly from: number; readonly until: number }
  | { readonly kind: "silent"; readonly from: number; readonly until: number }
  | { readonly kind: "changed"; readonly from: number };

/** One replica of a world. */
export interface RandomReplica {
  readonly rateAt: RateAt;
  readonly latencyMs: number;
  readonly trouble: Trouble;
}

/** A world. */
export interface RandomWorld {
  readonly seed: number;
  readonly size: number;
  /** Megabytes a second of the client's own link, when that is narrow. */
  readonly cap: number | undefined;
  readonly replicas: readonly RandomReplica[];
}

export const forever = Number.POSITIVE_INFINITY;
const largest = 4 * 1024 * 1024;

/** The world of a seed; the same one every time. */
export function randomWorld(seed: number): RandomWorld {
  const chance = new Seeded(seed);
  const odd = [0, 1, 65_536, 65_537];
  const size = chance.next() < 0.1 ? (chance.pick(odd) ?? 0) : chance.below(largest);
  const count = 1 + chance.below(6);
  const cap = chance.next() < 0.15 ? 1 + chance.below(20) : undefined;
  const replicas = Array.from({ length: count }, () => randomReplica(chance));
  return { seed, size, cap, replicas };
}

function randomReplica(chance: Seeded): RandomReplica {
  const latencyMs = chance.next() < 0.7 ? 1 + chance.below(20) : 20 + chance.below(200);
  return { rateAt: randomShape(chance), latencyMs, trouble: randomTrouble(chance) };
}

function randomShape(chance: Seeded): RateAt {
  const rate = 0.2 + chance.next() ** 2 * 20;
  const kind = chance.next();
  if (kind < 0.7) return steady(rate);
  if (kind < 0.85) return switching(rate / 8, rate, 200 + chance.below(2000), chance.below(1000));
  return changing(rate, rate / 50, chance.below(2000));
}

function randomTrouble(chance: Seeded): Trouble {
  const from = chance.below(1500);
  const until = chance.next() < 0.5 ? forever : from + 200 + chance.below(9000);
  const troubles: readonly Trouble[] = [
    { kind: "lie" },
    { kind: "changes-its-story" },
    { kind: "corrupt", share: 0.05 + chance.next() * 0.95 },
    { kind: "short", share: 0.2 + chance.next() * 0.8 },
    { kind: "away", from, until },
    { kind: "busy", from, until: from + 200 + chance.below(5000) },
    { kind: "silent", from, until },
    { kind: "changed", from },
  ];
  const unlucky = chance.pick(troubles);
  return chance.next() < 0.5 || unlucky === undefined ? { kind: "none" } : unlucky;
}

/** Whether a replica, by itself, would deliver the right file in the end. */
export function isReliable({ trouble }: RandomReplica): boolean {
  switch (trouble.kind) {
    case "none":
    case "busy":
      return true;
    case "away":
    case "silent":
      return trouble.until !== forever;
    case "lie":
    case "changes-its-story":
    case "corrupt":
    case "short":
    case "changed":
      return false;
    default:
      return trouble satisfies never;
  }
}
