/**
 * What was measured of each replica, and where it stands. It records; the discipline decides. Who
 * learns something of a replica tells it here: no line is written from outside.
 */

import { assert } from "../errors.js";
import { limits } from "../limits.js";
import type { ReplicaId } from "../trust/quorum.js";
import type { Evidence, Fault } from "./faults.js";
import type { Lease } from "./ledger.js";
import { isOutForGood, type Score, ScoreLine } from "./score.js";
import type { Pace } from "./slump.js";

export class Scoreboard {
  readonly #lines = new Map<ReplicaId, ScoreLine>();
  /** The same in order: they are all looked at whenever anything happens. */
  readonly #all: ScoreLine[] = [];
  /** Among 200 replicas, 72 of which nobody knows, it is asked for 40,000 times at one time. */
  #median: { readonly at: number; readonly rate: number | undefined } | undefined;

  /** Adds a replica in good standing. Adding it twice changes nothing. */
  add(replica: ReplicaId, latencyMs: number | undefined): void {
    if (this.#lines.has(replica)) return;
    const line = new ScoreLine(replica, latencyMs, () => {
      this.#median = undefined;
    });
    this.#lines.set(replica, line);
    this.#all.push(line);
  }

  of(replica: ReplicaId): Score {
    return this.#line(replica);
  }

  /** Every replica, in the order in which they were added. */
  all(): readonly Score[] {
    return this.#all;
  }

  /** Counts a fault; what follows from it is the discipline's. */
  count(replica: ReplicaId, fault: Fault): Score {
    const line = this.#line(replica);
    line.count(fault);
    return line;
  }

  /** One more fault in a row: how many that makes. */
  countInARow(replica: ReplicaId): number {
    return ++this.#line(replica).faultsInARow;
  }

  /** A replica did what it should: whatever was in a row is over. */
  redeem(replica: ReplicaId): void {
    const line = this.#line(replica);
    line.faultsInARow = 0;
    if (line.standing === "good" || isOutForGood(line)) return;
    line.standing = "good";
    line.reason = undefined;
    line.notBefore = Number.NEGATIVE_INFINITY;
  }

  /** Bytes came from a replica, in whatever lease. */
  heard(replica: ReplicaId, now: number): void {
    const line = this.#line(replica);
    line.lastByteAt = now;
    line.silentMs = 0;
  }

  /** Bytes of a lease came, while others were on their way already. */
  addArrived(replica: ReplicaId, bytes: number, now: number): void {
    const line = this.#line(replica);
    line.arrivedBytes += bytes;
    line.meter.add(bytes, now);
  }

  /** From now on time without bytes lowers its rate; the first ones may have come. */
  startFlow(replica: ReplicaId, now: number, first = { bytes: 0, waitMs: 0 }): void {
    const line = this.#line(replica);
    line.arrivedBytes += first.bytes;
    line.meter.start(now, first.bytes, first.waitMs - line.usualLatencyMs);
  }

  /** Nothing is on its way any more. */
  stopFlow(replica: ReplicaId, now: number): void {
    this.#line(replica).meter.stop(now);
  }

  /** Its latest lease ended so long after a byte was due. */
  endedSilent(replica: ReplicaId, silentMs: number): void {
    this.#line(replica).silentMs = silentMs;
  }

  /** A verified piece came, for the first time or in vain. */
  addSettled(replica: ReplicaId, bytes: number, isFirst: boolean): void {
    const line = this.#line(replica);
    if (isFirst) line.deliveredBytes += bytes;
    else line.wastedBytes += bytes;
  }

  /** Bytes came that are of no use. */
  addWasted(replica: ReplicaId, bytes: number): void {
    this.#line(replica).wastedBytes += bytes;
  }

  /** A lease ended by itself, whole or early. */
  addBrought(lease: Lease): void {
    this.#line(lease.replica).addBrought(lease);
  }

  /** We waited so long between two chunks of one read. */
  addGap(replica: ReplicaId, gapMs: number): void {
    this.#line(replica).addGap(gapMs);
  }

  /** A first byte came. `isBehindAnother`: another lease on its stream had bytes to come. */
  addLatency(replica: ReplicaId, waitMs: number, isBehindAnother = false): void {
    this.#line(replica).addLatency(waitMs, isBehindAnother);
  }

  /** It may have so many streams side by side, 1 or more. */
  allowStreams(replica: ReplicaId, streams: number): void {
    this.#line(replica).streams = streams;
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

  /** Bytes per second of these together, as far as theirs are known. */
  knownSum(replicas: readonly ReplicaId[], now: number): number {
    return replicas.reduce((sum, one) => sum + (this.knownRate(one, now) ?? 0), 0);
  }

  /**
   * Bytes per second as of this moment: for what there is still to deliver, where a change of pace
   * must show at once. Who ends its reads early sends nothing while it is asked again, which is no
   * change.
   */
  recentRate(replica: ReplicaId, now: number): number {
    const { meter, broughtShare } = this.of(replica);
    const recent = broughtShare < 1 ? undefined : meter.recentRate(now);
    return Math.max(1, recent ?? this.rate(replica, now));
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
    for (const line of this.#all) line.meter.shift(gapMs);
  }

  /** No lease before this time; that is no mark against it. */
  postpone(replica: ReplicaId, notBefore: number): void {
    const line = this.#line(replica);
    line.notBefore = Math.max(line.notBefore, notBefore);
  }

  /** Who is suspended without an end may try again now. */
  readmit(replica: ReplicaId, now: number): void {
    const line = this.#line(replica);
    if (line.notBefore === Number.POSITIVE_INFINITY) line.notBefore = now;
  }

  /** Withdraws a replica, for the rest of the download or until it is worth another try. */
  withdraw(replica: ReplicaId, reason: string, until = Number.POSITIVE_INFINITY): void {
    const line = this.#line(replica);
    if (line.standing === "banned") return;
    line.standing = "withdrawn";
    line.reason = reason;
    line.notBefore = until;
  }

  /** Suspends a replica until `notBefore`. */
  suspend(replica: ReplicaId, reason: string, notBefore: number): void {
    const line = this.#line(replica);
    if (line.standing === "banned" || line.standing === "withdrawn") return;
    line.standing = "backing-off";
    line.reason = reason;
    line.notBefore = Math.max(line.notBefore, notBefore);
  }

  ban(replica: ReplicaId, evidence: Evidence | undefined, reason: string): void {
    const line = this.#line(replica);
    line.standing = "banned";
    line.reason = reason;
    line.evidence = evidence;
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

  #line(replica: ReplicaId): ScoreLine {
    const line = this.#lines.get(replica);
    // Asked for some times for each chunk: the text is made only when it is needed.
    if (line === undefined) assert(false, `${replica} takes part`);
    return line;
  }

  #medianRate(now: number): number | undefined {
    if (this.#median?.at === now) return this.#median.rate;
    const known = this.all().flatMap(({ replica }) => this.knownRate(replica, now) ?? []);
    known.sort((left, right) => left - right);
    this.#median = { at: now, rate: known[Math.floor(known.length / 2)] };
    return this.#median.rate;
  }
}

/** Whether so many faults in a row mean that a replica is not coming back. */
export function isBeyondPatience(faultsInARow: number): boolean {
  return faultsInARow >= limits.faultsInARow;
}
