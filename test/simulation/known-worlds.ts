/**
 * Worlds in which something once went wrong, written out: a seed means another world as soon as the
 * drawing changes.
 */

import { steady } from "./shapes.js";
import { forever, type Trouble, type World, type WorldReplica } from "./world.js";

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

const slow = { rateAt: steady(0.3), shape: "steady 0.3" };
const fallsSilent = replicaWith({ kind: "silent", from: 800, until: forever }, slow);

/** More of pieces under way at silent replicas than may be fetched twice. */
export const manySilent = worldOf([], {
  size: 4 * 1024 * 1024,
  replicas: [...Array.from({ length: 20 }, () => fallsSilent), replicaWith({ kind: "none" }, slow)],
});

/** What went wrong, and where. */
export const knownWorlds: ReadonlyMap<string, World> = new Map([
  [
    "a replica that always breaks off within the last piece is no progress, for ever",
    worldOf([{ kind: "short", share: 1 }], { size: 65_537 }),
  ],
  [
    "two liars make the quorum, and are banned before the honest one, far away, has answered",
    worldOf([], {
      size: 681_439,
      replicas: [
        replicaWith({ kind: "none" }, { latencyMs: 600 }),
        replicaWith({ kind: "corrupt", share: 0.28, always: false }),
        replicaWith({ kind: "corrupt", share: 0.28, always: false }),
      ],
    }),
  ],
  [
    "two that make the quorum give false lists before the honest one, far away, has answered",
    worldOf([], {
      size: 3_532_279,
      replicas: [
        replicaWith({ kind: "none" }, { latencyMs: 600 }),
        replicaWith({ kind: "false-list", piece: 3, isCutShort: false }),
        replicaWith({ kind: "false-list", piece: 3, isCutShort: true }),
      ],
    }),
  ],
  ["silent replicas that are tried again come after one that is well", manySilent],
  [
    "who asked for patience during the transfer is asked for no second opinion before",
    worldOf([], {
      size: 3_207_600,
      replicas: [
        replicaWith({ kind: "false-root", story: 2 }, { rateAt: steady(0.84), shape: "0.84" }),
        replicaWith(
          { kind: "busy", from: 1000, until: 2400, retryMs: 2000 },
          { rateAt: steady(1.46), shape: "1.46" },
        ),
        replicaWith({ kind: "false-root", story: 1 }, { rateAt: steady(0.4), shape: "0.4" }),
      ],
    }),
  ],
  [
    "three agree on the root of another version, and an honest one that gives no pieces looks bad",
    worldOf(
      [
        { kind: "false-root", story: 1 },
        { kind: "foreign" },
        { kind: "false-root", story: 1 },
        { kind: "false-root", story: 1 },
      ],
      { size: 681_439 },
    ),
  ],
  [
    "one whose file changes while it is asked for a second opinion takes its vote back",
    worldOf([], {
      size: 1_592_124,
      rule: { kind: "at-least", count: 3 },
      replicas: [
        replicaWith({ kind: "foreign" }),
        replicaWith({ kind: "false-root", story: 1 }),
        replicaWith(
          { kind: "changed", from: 670, version: 1 },
          { rateAt: steady(0.7), shape: "steady 0.7" },
        ),
      ],
    }),
  ],
]);
