/**
 * What a suite of worlds must have met: each fault as the download met it, and each reaction. One
 * that no world met fails the suite: what is never tried is not tested.
 */

import type { FaultKind } from "../../src/schedule/faults.js";

/**
 * What is booked of each kind of fault; a new kind does not compile before it is here. A lease that
 * outlives its own deadline is not: that takes minutes.
 */
const faultNames = {
  unreachable: ["fault:unreachable"],
  late: ["fault:late:first-byte", "fault:late:idle"],
  busy: ["fault:busy"],
  hashing: ["fault:hashing"],
  short: ["fault:short"],
  corrupt: ["fault:corrupt", "fault:false-list"],
  changed: ["fault:changed"],
  missing: ["fault:missing"],
  denied: ["fault:denied"],
  incompatible: ["fault:incompatible"],
} as const satisfies Record<FaultKind, readonly string[]>;

/**
 * Every mark: what a replica did, how its link did while it was read, what was booked of it
 * (`fault:`), and what the download and the client's machine did.
 */
const markNames = [
  ...(["lie", "changes-its-story", "corrupt", "short", "overrun", "wrong-offset"] as const),
  ...(["away", "broke-off", "returned", "busy", "silent", "changed", "hashing"] as const),
  ...(["false-list", "false-root", "foreign", "missing", "denied", "incompatible"] as const),
  ...(["link:slow", "link:oscillating", "link:collapsing", "link:stalling"] as const),
  ...Object.values(faultNames).flat(),
  ...(["cut", "hedge", "asked-again", "joined", "banned", "resumed"] as const),
  ...(["resumed-from-other", "root-doubted", "second-opinions", "quorum-asked-again"] as const),
  ...(["capped", "connection-capped", "second-stream", "stood-still"] as const),
  ...(["slow-disk", "disk-failed", "killed", "power-cut", "aborted"] as const),
  ...(["rule:all", "rule:at-least", "rule:digest", "chunks", "limit"] as const),
  ...(["succeeded", "lie-won", "error:no-quorum", "error:not-found"] as const),
  ...(["error:out-of-replicas", "error:integrity", "error:storage"] as const),
] as const;

export type Mark = (typeof markNames)[number];

/** Counts. */
export class Marks {
  readonly counts = new Map<string, number>(markNames.map((mark) => [mark, 0]));

  add(mark: Mark): void {
    this.counts.set(mark, (this.counts.get(mark) ?? 0) + 1);
  }

  /** Counts a mark whose name was put together; names that are no marks are let go. */
  addNamed(name: string): void {
    const count = this.counts.get(name);
    if (count !== undefined) this.counts.set(name, count + 1);
  }

  /** The marks that nobody met. */
  get unmet(): string[] {
    return [...this.counts].flatMap(([mark, count]) => (count === 0 ? [mark] : []));
  }
}
