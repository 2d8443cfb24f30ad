/**
 * What a suite of worlds must have met: each fault as the download met it, and each reaction. One
 * that no world met fails the suite: what is never tried is not tested.
 */

/** Every mark; `replica:` is what a replica did, `fault:` what was booked, the rest reactions. */
const markNames = [
  ...(["lie", "changes-its-story", "corrupt", "short", "overrun", "wrong-offset"] as const),
  ...(["away", "broke-off", "returned", "busy", "silent", "changed", "hashing"] as const),
  ...(["false-list", "false-root", "foreign", "missing", "denied"] as const),
  ...([
    "fault:unreachable",
    "fault:busy",
    "fault:short",
    "fault:corrupt",
    "fault:changed",
  ] as const),
  ...(["fault:late:first-byte", "fault:late:idle", "fault:missing"] as const),
  ...(["fault:denied", "fault:false-list"] as const),
  ...([
    "cut",
    "hedge",
    "asked-again",
    "joined",
    "banned",
    "resumed",
    "resumed-from-other",
    "root-doubted",
    "second-opinions",
  ] as const),
  ...([
    "capped",
    "connection-capped",
    "second-stream",
    "stood-still",
    "slow-disk",
    "disk-failed",
  ] as const),
  ...(["killed", "power-cut", "aborted", "rule:all", "rule:at-least", "rule:digest"] as const),
  ...(["chunks", "limit", "succeeded", "error:no-quorum", "error:not-found"] as const),
  ...([
    "error:out-of-replicas",
    "error:integrity",
    "error:storage",
    "lie-won",
    "quorum-asked-again",
  ] as const),
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
