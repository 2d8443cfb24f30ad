/**
 * Worlds made from a seed: who is there, how fast, how far, and what goes wrong with whom and when.
 */

import type { Rule } from "../../src/trust/rule.js";
import { Seeded } from "../support/seeded.js";
import type { RateAt } from "./link.js";
import { changing, steady, switching } from "./shapes.js";
import { largestSize, oddSizes, sizes, versionOf } from "./versions.js";
import { type Ending, forever, type Trouble, type World, type WorldReplica } from "./world.js";

/** The world of a seed; the same one every time. */
export function randomWorld(seed: number): World {
  const chance = new Seeded(seed);
  const size = randomSize(chance);
  const count = 1 + chance.below(6);
  const replicas = Array.from({ length: count }, () => randomReplica(chance));
  const writeMs = chance.next() < 0.1 ? 1 + chance.below(40) : 0;
  const failsAt = chance.next() < 0.05 ? chance.below(60) : undefined;
  const isEdited = chance.next() < 0.05;
  const mayEnd = isEdited || chance.next() < 0.15;
  return {
    seed,
    size,
    replicas: isEdited ? edited(chance, replicas) : colluding(chance, replicas),
    rule: randomRule(chance, count, size),
    chunks: chance.next() < 0.1 ? 1 + chance.below(80) : undefined,
    limitRate: chance.next() < 0.05 ? 100_000 + chance.below(5_000_000) : undefined,
    cap: chance.next() < 0.1 ? 1 + chance.below(20) : undefined,
    stalls: chance.next() < 0.1 ? [{ at: chance.below(3000), ms: 300 + chance.below(20_000) }] : [],
    disk: { writeMs, failsAt },
    ending: mayEnd ? randomEnding(chance) : undefined,
  };
}

function randomSize(chance: Seeded): number {
  const kind = chance.next();
  if (kind < 0.08) return chance.pick(oddSizes) ?? 0;
  return kind < 0.12 ? largestSize : (chance.pick(sizes) ?? 0);
}

function randomRule(chance: Seeded, count: number, size: number): Rule {
  const kind = chance.next();
  if (kind < 0.75) return { kind: "majority" };
  if (kind < 0.85) return { kind: "at-least", count: 1 + chance.below(count) };
  if (kind < 0.9) return { kind: "all" };
  return { kind: "digest", digest: versionOf(0, size).manifest.digest };
}

function randomEnding(chance: Seeded): Ending {
  const how = chance.pick(["kill", "power-cut", "abort"] as const) ?? "kill";
  return { at: chance.below(2500), how, pauseMs: chance.below(3000) };
}

function randomReplica(chance: Seeded): WorldReplica {
  const latencyMs = chance.next() < 0.7 ? 1 + chance.below(20) : 20 + chance.below(200);
  const connectionRate = chance.next() < 0.05 ? 200_000 + chance.below(3_000_000) : undefined;
  return { ...randomLink(chance), latencyMs, connectionRate, trouble: randomTrouble(chance) };
}

/** Megabytes a second with two digits: a world is to be readable. */
const round = (megabytes: number) => Math.ceil(megabytes * 100) / 100;

function randomLink(chance: Seeded): Pick<WorldReplica, "rateAt" | "shape" | "isSteady"> {
  const rate = round(0.2 + chance.next() ** 2 * 20);
  const kind = chance.next();
  const at = chance.below(2000);
  if (kind < 0.6) return { rateAt: steady(rate), shape: `steady ${rate}`, isSteady: true };
  if (kind < 0.65) {
    const slow = round(0.02 + chance.next() * 0.1);
    return { rateAt: steady(slow), shape: `slow ${slow}`, isSteady: false };
  }
  if (kind < 0.75) {
    const low = round(rate / 8);
    const periodMs = 200 + chance.below(2000);
    const shape = `oscillating ${low}–${rate} each ${periodMs}`;
    return { rateAt: switching(low, rate, periodMs, at), shape, isSteady: false };
  }
  if (kind < 0.85) {
    const low = round(rate / 50);
    const shape = `collapsing ${rate} to ${low} at ${at}`;
    return { rateAt: changing(rate, low, at), shape, isSteady: false };
  }
  const ms = 100 + chance.below(6000);
  const shape = `stalling ${rate} at ${at} for ${ms}`;
  return { rateAt: stalling(steady(rate), at, ms), shape, isSteady: false };
}

function stalling(rateAt: RateAt, at: number, forMs: number): RateAt {
  return (ms) => (ms >= at && ms < at + forMs ? 0 : rateAt(ms));
}

function randomTrouble(chance: Seeded): Trouble {
  const from = chance.below(1500);
  const until = chance.next() < 0.5 ? forever : from + 200 + chance.below(9000);
  const soon = from + 200 + chance.below(5000);
  const share = round(0.05 + chance.next() * 0.95);
  const version = 1 + chance.below(3);
  const holds = chance.next() < 0.7;
  const always = chance.next() < 0.5;
  const retryMs = chance.pick([0, 20, 300, 2_000, Number.NaN]) ?? 0;
  const troubles: readonly Trouble[] = [
    { kind: "lie", version, holds },
    { kind: "changes-its-story" },
    { kind: "corrupt", share, always },
    { kind: "corrupt", share, always },
    { kind: "short", share },
    { kind: "overrun", share },
    { kind: "wrong-offset", share },
    { kind: "away", from, until },
    { kind: "away", from: 0, until: soon },
    { kind: "busy", from, until: soon, retryMs },
    { kind: "silent", from, until },
    { kind: "changed", from, version },
    { kind: "hashing", from: always ? 0 : from, until: soon * 3, stuck: share > 0.8 },
    { kind: "false-list", piece: chance.below(8), isCutShort: holds },
    { kind: "false-root", story: version },
    { kind: "false-root", story: 2 },
    { kind: "foreign" },
    { kind: "foreign" },
    { kind: "missing", from: holds ? 0 : from, until },
    { kind: "denied", from: holds ? 0 : from, until },
    { kind: "incompatible", from: holds ? 0 : from, until },
  ];
  const unlucky = chance.pick(troubles);
  return chance.next() < 0.5 || unlucky === undefined ? { kind: "none" } : unlucky;
}

/** Now and then several have the same trouble: liars who agree, a file that changes everywhere. */
function colluding(chance: Seeded, replicas: readonly WorldReplica[]): readonly WorldReplica[] {
  if (chance.next() < 0.85) return replicas;
  const trouble = replicas.find((replica) => replica.trouble.kind !== "none")?.trouble;
  if (trouble === undefined) return replicas;
  const share = 0.2 + chance.next() * 0.8;
  return replicas.map((replica) => (chance.next() < share ? { ...replica, trouble } : replica));
}

/** Somebody edits the file while it is got: all replicas serve the next version from then on. */
function edited(chance: Seeded, replicas: readonly WorldReplica[]): readonly WorldReplica[] {
  const trouble: Trouble = { kind: "changed", from: 300 + chance.below(2500), version: 1 };
  return replicas.map((replica) => ({ ...replica, trouble }));
}
