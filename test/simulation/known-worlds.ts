/**
 * Worlds in which something once went wrong, written out: a seed means another world as soon as the
 * drawing changes.
 */

import { steady } from "./shapes.js";
import type { Trouble, World, WorldReplica } from "./world.js";

/** A replica with a good link. */
export function replicaWith(trouble: Trouble, parts: Partial<WorldReplica> = {}): WorldReplica {
  const link = { rateAt: steady(5), shape: "steady 5", isSteady: true };
  return { ...link, latencyMs: 10, connectionRate: undefined, trouble, ...parts };
}

/** A world in which only what is told is out of order. */
export function worldOf(troubles: readonly Trouble[], parts: Partial<World> = {}): World {
  return {
    seed: 1,
    size: 1_000_000,
    replicas: troubles.map((trouble) => replicaWith(trouble)),
    rule: { kind: "majority" },
    chunks: undefined,
    limitRate: undefined,
    cap: undefined,
    stalls: [],
    disk: { writeMs: 0, failsAt: undefined },
    ending: undefined,
    ...parts,
  };
}

/** What went wrong, and where. */
export const knownWorlds: ReadonlyMap<string, World> = new Map([
  [
    "a replica that always breaks off within the last piece is no progress, for ever",
    worldOf([{ kind: "short", share: 1 }], { size: 65_537 }),
  ],
]);
