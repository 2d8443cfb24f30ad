/**
 * One replica's line on the scoreboard: what was measured of it, and where it stands. Everybody
 * reads it; the scoreboard alone writes it.
 */

import type { ReplicaId } from "../trust/quorum.js";
import type { Evidence, Fault, FaultKind } from "./faults.js";
import { piecesAskedFor } from "./lease-size.js";
import type { Lease } from "./ledger.js";
import { RateMeter, type Rates } from "./rate-meter.js";

/**
 * Where a replica stands. Only `good` ones, and `backing-off` ones whose wait is over, get leases.
 */
export type Standing = "good" | "backing-off" | "withdrawn" | "banned";

/** What everybody may read of a replica. Bytes are those of this run; times are milliseconds. */
export interface Score {
  readonly replica: ReplicaId;
  readonly standing: Standing;
  /** Why it stands where it stands, when not good. */
  readonly reason: string | undefined;
  /** No lease before this time. */
  readonly notBefore: number;
  readonly faultsInARow: number;
  readonly faults: ReadonlyMap<FaultKind, number>;
  /** What a ban rests on. */
  readonly evidence: Evidence | undefined;
  /** Verified bytes that it was the first to deliver. */
  readonly deliveredBytes: number;
  /**
   * Bytes that came and were of no use: half pieces, bad ones, and those that somebody else had
   * sooner.
   */
  readonly wastedBytes: number;
  /** All bytes that came in its leases. */
  readonly arrivedBytes: number;
  /** The usual part of a lease that it brings before it ends it: 1 unless it ends them early. */
  readonly broughtShare: number;
  /** How many streams it may have side by side. */
  readonly streams: number;
  /** When bytes last came, or `undefined` before the first. */
  readonly lastByteAt: number | undefined;
  /** Milliseconds without a byte when its latest lease ended, its latency not counted. */
  readonly silentMs: number;
  /** The usual time between two chunks of one read, as we waited for it. */
  readonly usualGapMs: number;
  readonly meter: Rates;
  /** Times to first byte of leases that nothing came before on their stream, the latest last. */
  readonly latenciesMs: readonly number[];
  /** The same of all leases: behind another, a first byte waits for that one's last. */
  readonly waitsMs: readonly number[];
  /** The median of `latenciesMs`; 0 when there is none. */
  readonly usualLatencyMs: number;
}

/** Whether a replica gets no more leases in this download. */
export function isOutForGood({ standing, notBefore }: Score): boolean {
  if (standing === "withdrawn") return notBefore === Number.POSITIVE_INFINITY;
  return standing === "banned";
}

const latenciesKept = 16;
/** How much the latest lease counts in the part that is usually brought. */
const broughtWeight = 0.5;
/** From here on a replica is taken for one that brings all of it. */
const broughtWhole = 0.95;
/** How much the latest gap between two chunks counts in the usual one. */
const gapWeight = 0.25;

/** The line itself, in good standing at first. The scoreboard hands none of them out as this. */
export class ScoreLine implements Score {
  readonly replica: ReplicaId;
  standing: Standing = "good";
  reason: string | undefined = undefined;
  notBefore = Number.NEGATIVE_INFINITY;
  faultsInARow = 0;
  readonly faults = new Map<FaultKind, number>();
  evidence: Evidence | undefined = undefined;
  deliveredBytes = 0;
  wastedBytes = 0;
  arrivedBytes = 0;
  broughtShare = 1;
  streams = 1;
  lastByteAt: number | undefined = undefined;
  silentMs = 0;
  usualGapMs = 0;
  readonly meter: RateMeter;
  readonly latenciesMs: number[];
  readonly waitsMs: number[];
  usualLatencyMs: number;
  /** Whether no more is known of its distance than how long its vote took. */
  #isAsVoted = true;

  /** `voteMs`: how long its vote took; `onRate`: as of `RateMeter`. */
  constructor(replica: ReplicaId, voteMs: number | undefined, onRate: () => void) {
    this.replica = replica;
    this.meter = new RateMeter(onRate);
    this.latenciesMs = voteMs === undefined ? [] : [voteMs];
    this.waitsMs = voteMs === undefined ? [] : [voteMs];
    this.usualLatencyMs = voteMs ?? 0;
  }

  count({ kind }: Fault): void {
    this.faults.set(kind, (this.faults.get(kind) ?? 0) + 1);
  }

  /** A lease ended by itself, whole or early. */
  addBrought({ start, next, end }: Lease): void {
    const asked = Math.max(end - start, piecesAskedFor(1, this.broughtShare));
    // What came whole because more was asked for does not tell how much more would have come.
    if (next >= end && asked > end - start) return;
    this.broughtShare += broughtWeight * ((next - start) / asked - this.broughtShare);
    if (this.broughtShare > broughtWhole) this.broughtShare = 1;
  }

  addGap(gapMs: number): void {
    this.usualGapMs += gapWeight * (gapMs - this.usualGapMs);
  }

  /**
   * A first byte came. Behind another lease it says nothing of the distance but that it is no more:
   * as leases are asked for latencies ahead, they would otherwise be asked for ever earlier.
   */
  addLatency(waitMs: number, isBehindAnother: boolean): void {
    keep(this.waitsMs, waitMs);
    if (isBehindAnother && waitMs >= this.usualLatencyMs) return;
    // To vote, a replica was connected to as well: what is sooner is nearer the truth.
    if (this.#isAsVoted && waitMs < this.usualLatencyMs) this.latenciesMs.length = 0;
    this.#isAsVoted = false;
    keep(this.latenciesMs, waitMs);
    const sorted = [...this.latenciesMs].sort((left, right) => left - right);
    // Kept, since it is asked for of everybody whenever somebody needs work.
    this.usualLatencyMs = sorted[Math.floor(sorted.length / 2)] ?? 0;
  }
}

function keep(latest: number[], ms: number): void {
  latest.push(ms);
  if (latest.length > latenciesKept) latest.shift();
}
