/**
 * What a simulated world is: its replicas with their links and troubles, the client, its disk, and
 * what is asked for. Times are virtual milliseconds; a `share` is a probability.
 */

import type { Rule } from "../../src/trust/rule.js";
import type { RateAt } from "./link.js";

/** From a moment until another, which may never come. */
interface Window {
  readonly from: number;
  readonly until: number;
}

/** What can be wrong with a simulated replica beyond its link. */
export type Trouble =
  | { readonly kind: "none" }
  /** It serves another version all along; `holds`: it has the bytes of what it claims. */
  | { readonly kind: "lie"; readonly version: number; readonly holds: boolean }
  | { readonly kind: "changes-its-story" }
  /** `always`: the same pieces each time; else any chunk. */
  | { readonly kind: "corrupt"; readonly share: number; readonly always: boolean }
  | { readonly kind: "short"; readonly share: number }
  | { readonly kind: "overrun"; readonly share: number }
  | { readonly kind: "wrong-offset"; readonly share: number }
  /** Cannot be reached; reads that run break off. */
  | ({ readonly kind: "away" } & Window)
  | ({ readonly kind: "busy"; readonly retryMs: number } & Window)
  | ({ readonly kind: "silent" } & Window)
  /** From a moment on it serves another version. */
  | { readonly kind: "changed"; readonly from: number; readonly version: number }
  /** It hashes the file, at the beginning or once more. `stuck`: without getting on. */
  | ({ readonly kind: "hashing"; readonly stuck: boolean } & Window)
  /** Claims what is true, and gives a piece list that is not. */
  | { readonly kind: "false-list"; readonly piece: number; readonly isCutShort: boolean }
  /** Claims another root, with a list that fits it; `story` tells who colludes with whom. */
  | { readonly kind: "false-root"; readonly story: number }
  /** Gives no pieces. */
  | { readonly kind: "foreign" }
  /** It has no such file, for a while. */
  | ({ readonly kind: "missing" } & Window)
  | ({ readonly kind: "denied" } & Window)
  /** It does not understand us, for a while. */
  | ({ readonly kind: "incompatible" } & Window);

/** One replica of a world. */
export interface WorldReplica {
  readonly rateAt: RateAt;
  /** The link in words. */
  readonly shape: string;
  /** Whether its rate stays what it is, or nearly so: then it is never late. */
  readonly isSteady: boolean;
  readonly latencyMs: number;
  /** Bytes per second of one connection, when that is less than the link carries. */
  readonly connectionRate: number | undefined;
  readonly trouble: Trouble;
}

/** How the client's process ends before the download does. */
export interface Ending {
  readonly at: number;
  /** A `power-cut` loses what was not synced; `abort` is the user's wish. */
  readonly how: "kill" | "power-cut" | "abort";
  /** How long it takes until it is run again. */
  readonly pauseMs: number;
}

/** The client's disk. */
export interface WorldDisk {
  /** How long a write takes. */
  readonly writeMs: number;
  /** The n-th operation of the first run fails. */
  readonly failsAt: number | undefined;
}

/** A world. */
export interface World {
  readonly seed: number;
  readonly size: number;
  readonly replicas: readonly WorldReplica[];
  readonly rule: Rule;
  readonly chunks: number | undefined;
  /** Bytes per second. */
  readonly limitRate: number | undefined;
  /** Megabytes a second of the client's own link, when that is narrow. */
  readonly cap: number | undefined;
  /** The client stands still: time jumps. */
  readonly stalls: readonly { readonly at: number; readonly ms: number }[];
  readonly disk: WorldDisk;
  readonly ending: Ending | undefined;
}

export const forever = Number.POSITIVE_INFINITY;

/** A world in one line. */
export function describeWorld(world: World): string {
  const { size, rule, chunks, limitRate, cap, stalls, disk, ending } = world;
  const facts = [
    `${size} bytes`,
    rule.kind === "at-least" ? `quorum ${rule.count}` : rule.kind,
    ...(chunks === undefined ? [] : [`${chunks} chunks`]),
    ...(limitRate === undefined ? [] : [`limit ${limitRate} B/s`]),
    ...(cap === undefined ? [] : [`capped at ${cap} MB/s`]),
    ...stalls.map(({ at, ms }) => `stands still at ${at} for ${ms}`),
    ...(disk.writeMs > 0 ? [`writes take ${disk.writeMs}`] : []),
    ...(disk.failsAt === undefined ? [] : [`disk operation ${disk.failsAt} fails`]),
    ...(ending === undefined
      ? []
      : [`${ending.how} at ${ending.at}, again ${ending.pauseMs} later`]),
  ];
  const replicas = world.replicas.map((replica, index) => `r${index} ${describeReplica(replica)}`);
  return `${facts.join(", ")}: ${replicas.join("; ")}`;
}

function describeReplica({ shape, latencyMs, connectionRate, trouble }: WorldReplica): string {
  const { kind, ...details } = trouble;
  const each = connectionRate === undefined ? "" : `, ${connectionRate} B/s a connection`;
  const values = Object.entries(details).map(([key, value]) => `${key} ${value}`);
  return `${shape} ${latencyMs} ms${each}, ${[kind, ...values].join(" ")}`;
}
