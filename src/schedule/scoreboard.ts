/** What was measured of each replica, and where it stands. It records; the discipline decides. */

import { assert } from "../errors.js";
import { limits } from "../limits.js";
import type { ReplicaId } from "../trust/quorum.js";
import type { Evidence, Fault, FaultKind } from "./faults.js";
import { piecesAskedFor } from "./lease-size.js";
import type { Lease } from "./ledger.js";
import { RateMeter } from "./rate-meter.js";
import type { Pace } from "./slump.js";

/**
 * Where a replica stands. Only `good` ones, and `backing-off` ones whose wait is over, get leases.
 */
export type Standing = "good" | "backing-off" | "withdrawn" | "banned";

/** One replica's line. Bytes are those of this run; times are the clock's milliseconds. */
export interface Score {
  readonly replica: ReplicaId;
  standing: Standing;
  /** Why it stands where it stands, when not good. */
  reason: string | undefined;
  /** No lease before this time. */
  notBefore: number;
  faultsInARow: number;
  readonly faults: Map<FaultKind, number>;
  /** What a ban rests on. */
  evidence: Evidence | undefined;
  /** Verified bytes that it was the first to deliver. */
  deliveredBytes: number;
  /**
   * Bytes that came and were of no use: half pieces, bad ones, and those that somebody else had
   * sooner.
   */
  wastedBytes: number;
  /** All bytes that came in its leases. */
  arrivedBytes: number;
  /** The usual part of a lease that it brings before it ends it: 1 unless it ends them early. */
  broughtShare: number;
  /** How many streams it may have side by side. */
  streams: number;
  /** When bytes last came, or `undefined` before the first. */
  lastByteAt: number | undefined;
  /** Milliseconds without a byte when its latest lease ended, its latency not counted. */
  silentMs: number;
  /** The usual time between two chunks of one read, as we waited for it. */
  usualGapMs: number;
  readonly meter: RateMeter;
  /** Times to first byte of leases that nothing came before on their stream, the latest last. */
  readonly latenciesMs: number[];
  /** The same of all leases: behind another, a first byte waits for that one's last. */
  readonly waitsMs: number[];
  /** The median of `latenciesMs`; 0 when there is none. */
  usualLatencyMs: number;
}

const latenciesKept = 16;
/** How much the latest lease counts in the part that is usually brought. */
const broughtWeight = 0.5;
/** From here on a replica is taken for one that brings all of it. */
const broughtWhole = 0.95;

export class Scoreboard {
  readonly #scores = new Map<ReplicaId, Score>();
  /** The same in order: they are all looked at whenever anything happens. */
  readonly #all: Score[] = [];
  /** Those of whose distance no more is known than how long their vote took. */
  readonly #asVoted = new Set<ReplicaId>();
  /** Among 200 replicas, 72 of which nobody knows, it is asked for 40,000 times at one time. */
  #median: { readonly at: number; readonly rate: number | undefined } | undefined;

  /** Adds a replica in good standing. Adding it twice changes nothing. */
  add(replica: ReplicaId, latencyMs: number | undefined): void {
    if (this.#scores.has(replica)) return;
    this.#asVoted.add(replica);
    const score: Score = {
      replica,
      standing: "good",
      reason: undefined,
      notBefore: Number.NEGATIVE_INFINITY,
      faultsInARow: 0,
      faults: new Map(),
      evidence: undefined,
      deliveredBytes: 0,
      wastedBytes: 0,
      arrivedBytes: 0,
      broughtShare: 1,
      streams: 1,
      lastByteAt: undefined,
      silentMs: 0,
      usualGapMs: 0,
      meter: new RateMeter(() => {
        this.#median = undefined;
      }),
      latenciesMs: latencyMs === undefined ? [] : [latencyMs],
      waitsMs: latencyMs === undefined ? [] : [latencyMs],
      usualLatencyMs: latencyMs ?? 0,
    };
    this.#scores.set(replica, score);
    this.#all.push(score);
  }

  of(replica: ReplicaId): Score {
    const score = this.#scores.get(replica);
    assert(score !== undefined, `${replica} takes part`);
    return score;
  }

  /** Every replica, in the order in which they were added. */
  all(): readonly Score[] {
    return this.#all;
  }

  /** Counts a fault; what follows from it is the discipline's. */
  count(replica: ReplicaId, fault: Fault): Score {
    const score = this.of(replica);
    score.faults.set(fault.kind, (score.faults.get(fault.kind) ?? 0) + 1);
    return score;
  }

  /** A replica did what it should: whatever was in a row is over. */
  redeem(replica: ReplicaId): void {
    const score = this.of(replica);
    score.faultsInARow = 0;
    if (score.standing === "good" || this.isOutForGood(score)) return;
    score.standing = "good";
    score.reason = undefined;
    score.notBefore = Number.NEGATIVE_INFINITY;
  }

  /** A lease ended by itself, whole or early. */
  addBrought({ replica, start, next, end }: Lease): void {
    const score = this.of(replica);
    const asked = Math.max(end - start, piecesAskedFor(1, score.broughtShare));
    // What came whole because more was asked for does not tell how much more would have come.
    if (next >= end && asked > end - start) return;
    score.broughtShare += broughtWeight * ((next - start) / asked - score.broughtShare);
    if (score.broughtShare > broughtWhole) score.broughtShare = 1;
  }

  /**
   * A first byte came. Behind another lease it says nothing of the distance but that it is no more:
   * as leases are asked for latencies ahead, they would otherwise be asked for ever earlier.
   */
  addLatency(replica: ReplicaId, waitMs: number, isBehindAnother = false): void {
    const { latenciesMs, waitsMs } = this.of(replica);
    keep(waitsMs, waitMs);
    if (isBehindAnother && waitMs >= this.latencyMs(replica)) return;
    // To vote, a replica was connected to as well: what is sooner is nearer the truth.
    const isSooner = waitMs < this.latencyMs(replica);
    if (this.#asVoted.delete(replica) && isSooner) latenciesMs.length = 0;
    keep(latenciesMs, waitMs);
    const sorted = [...latenciesMs].sort((left, right) => left - right);
    // Kept, since it is asked for of everybody whenever somebody needs work.
    this.of(replica).usualLatencyMs = sorted[Math.floor(sorted.length / 2)] ?? 0;
  }

  /** The usual time to first byte: the median of the latest; 0 when none was seen. */
  latencyMs(replica: ReplicaId): number {
    return this.of(replica).usualLatencyMs;
  }

  /** The time to first byte of a lease asked for now: who was silent for so long may be again. */
  awaitMs(replica: ReplicaId): number {
    return Math.max(this.latencyMs(replica), this.of(replica).silentMs);
  }

  /** The least time to first byte among the latest: how far away it is at most; 0 when unseen. */
  leastLatencyMs(replica: ReplicaId): number {
    const { latenciesMs } = this.of(replica);
    return latenciesMs.length === 0 ? 0 : Math.min(...latenciesMs);
  }

  /** The worst time to first byte among the latest: what stands in for p99. */
  worstLatencyMs(replica: ReplicaId): number {
    return Math.max(0, ...this.of(replica).waitsMs);
  }

  /**
   * Bytes per second; where nothing is known yet, the median of the known ones, or 1 when nobody is
   * known.
   */
  rate(replica: ReplicaId, now: number): number {
    return this.knownRate(replica, now) ?? this.#medianRate(now) ?? 1;
  }

  /** Whether anybody's rate is known; if not, every rate here is a mere placeholder. */
  knowsRates(now: number): boolean {
    return this.all().some(({ replica }) => this.knownRate(replica, now) !== undefined);
  }

  /** Bytes per second as measured, or `undefined`. */
  knownRate(replica: ReplicaId, now: number): number | undefined {
    const rate = this.of(replica).meter.rate(now);
    // A replica that sends nothing at all is slow, not infinitely so: divisions must stay finite.
    return rate === undefined ? undefined : Math.max(rate, 1);
  }

  /**
   * Bytes per second as of this moment, never more than the average: for what somebody else still
   * has to deliver, where a collapse must show at once and a burst must not.
   */
  recentRate(replica: ReplicaId, now: number): number {
    const recent = this.of(replica).meter.recentRate(now);
    return Math.max(1, Math.min(this.rate(replica, now), recent ?? Number.POSITIVE_INFINITY));
  }

  /** How the good ones do in comparison with themselves; between two leases, as they last did. */
  paces(now: number): Pace[] {
    const paces: Pace[] = [];
    for (const { replica, standing, meter } of this.all()) {
      const [recent, usual] = [meter.recentRate(now), meter.usualRate(now)];
      if (recent === undefined || usual === undefined || standing !== "good") continue;
      paces.push({ replica, recent, usual });
    }
    return paces;
  }

  /**
   * Whether another replica got bytes through after `since`: if not, the network or we may be at
   * fault.
   */
  othersMovedSince(replica: ReplicaId, since: number): boolean {
    return this.all().some(
      (score) =>
        score.replica !== replica && (score.lastByteAt ?? Number.NEGATIVE_INFINITY) > since,
    );
  }

  /** Moves every clock by a gap in which we ourselves stood still. */
  shift(gapMs: number): void {
    for (const score of this.all()) score.meter.shift(gapMs);
  }

  /** Withdraws a replica, for the rest of the download or until it is worth another try. */
  withdraw(replica: ReplicaId, reason: string, until = Number.POSITIVE_INFINITY): void {
    const score = this.of(replica);
    if (score.standing === "banned") return;
    score.standing = "withdrawn";
    score.reason = reason;
    score.notBefore = until;
  }

  /** Suspends a replica until `notBefore`. */
  suspend(replica: ReplicaId, reason: string, notBefore: number): void {
    const score = this.of(replica);
    if (score.standing === "banned" || score.standing === "withdrawn") return;
    score.standing = "backing-off";
    score.reason = reason;
    score.notBefore = Math.max(score.notBefore, notBefore);
  }

  ban(replica: ReplicaId, evidence: Evidence | undefined, reason: string): void {
    const score = this.of(replica);
    score.standing = "banned";
    score.reason = reason;
    score.evidence = evidence;
  }

  /** Whether a replica may get a lease now. */
  isReady(score: Score, now: number): boolean {
    return score.standing !== "banned" && score.notBefore <= now;
  }

  /**
   * Whether nothing is expected of a replica; one that could not be reached is still tried at
   * times.
   */
  isOut({ standing }: Score): boolean {
    return standing === "withdrawn" || standing === "banned";
  }

  /** Whether a replica gets no more leases in this download. */
  isOutForGood({ standing, notBefore }: Score): boolean {
    if (standing === "withdrawn") return notBefore === Number.POSITIVE_INFINITY;
    return standing === "banned";
  }

  #medianRate(now: number): number | undefined {
    if (this.#median?.at === now) return this.#median.rate;
    const known = this.all().flatMap(({ replica }) => this.knownRate(replica, now) ?? []);
    known.sort((left, right) => left - right);
    this.#median = { at: now, rate: known[Math.floor(known.length / 2)] };
    return this.#median.rate;
  }
}

function keep(latest: number[], ms: number): void {
  latest.push(ms);
  if (latest.length > latenciesKept) latest.shift();
}

/** Whether so many faults in a row mean that a replica is not coming back. */
export function isBeyondPatience(faultsInARow: number): boolean {
  return faultsInARow >= limits.faultsInARow;
}
