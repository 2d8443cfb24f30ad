/**
 * Decides what can be expected of a replica, from what runs in its leases and how it did before:
 * when it is free, at what rate it goes on, which of its pieces come late.
 */

import { limits } from "../limits.js";
import type { ReplicaId } from "../trust/quorum.js";
import { type Straggler, secondsLeft } from "./hedge.js";
import type { LeaseBook, Running } from "./lease-book.js";
import type { Ledger } from "./ledger.js";
import { pieceLength } from "./pieces.js";
import type { Scoreboard } from "./scoreboard.js";

export class Forecast {
  readonly #ledger: Ledger;
  readonly #scoreboard: Scoreboard;
  readonly #book: LeaseBook;

  constructor(ledger: Ledger, scoreboard: Scoreboard, book: LeaseBook) {
    this.#ledger = ledger;
    this.#scoreboard = scoreboard;
    this.#book = book;
  }

  /** Milliseconds of work that a replica has at its rate. */
  leftMs(replica: ReplicaId, now: number): number {
    return (this.#book.leftBytes(replica) / this.#scoreboard.rate(replica, now)) * 1000;
  }

  /** The same, of what is leased already. */
  leaseLeftMs(replica: ReplicaId, now: number): number {
    return (this.#book.leaseLeftBytes(replica) / this.#scoreboard.rate(replica, now)) * 1000;
  }

  /**
   * The same at the rate that can be expected of it, the wait for its first byte included, and what
   * is likely to have come since its last one not.
   */
  busyMs(replica: ReplicaId, now: number): number {
    const rate = this.rate(replica, now);
    const workMs = (this.#book.leaseLeftBytes(replica) / rate) * 1000;
    const { lastByteAt = now, usualGapMs } = this.#scoreboard.of(replica);
    const isSending = this.#book.isSending(replica);
    const pieceMs = (this.#ledger.layout.pieceBytes / rate) * 1000;
    const cameMs = isSending ? Math.min(now - lastByteAt, usualGapMs, pieceMs) : 0;
    return this.delayMs(replica, now) + Math.max(0, workMs - cameMs);
  }

  /** The stream whose next lease should be asked for now, so that no bubble comes between. */
  freeLane(replica: ReplicaId, now: number): number | undefined {
    const running = this.#book.runningOf(replica);
    if (this.#scoreboard.knownRate(replica, now) === undefined) {
      return running.every(({ lease }) => lease.isEarly) ? 0 : undefined;
    }
    const aheadMs = limits.aheadMs + limits.aheadLatencies * this.#scoreboard.latencyMs(replica);
    for (let lane = 0; lane < this.#scoreboard.of(replica).streams; lane++) {
      const own = running.filter((one) => one.lease.lane === lane);
      if (own.filter((one) => this.#book.leftOf([one]) > 0).length >= limits.leasesPerStream)
        continue;
      // A further connection first shows that it carries anything.
      if (lane > 0 && own.some(({ hasBytes }) => !hasBytes)) continue;
      const waitsMs = own.map((one) =>
        Math.max(this.#delayMs(one, now), this.#book.silentMs(one, now)),
      );
      const waitMs = own.length === 0 ? 0 : Math.min(...waitsMs);
      if (waitMs + this.laneLeftMs(replica, lane, now) <= aheadMs) return lane;
    }
    return undefined;
  }

  /** Milliseconds of work leased on one stream of a replica, at its pace of this moment. */
  laneLeftMs(replica: ReplicaId, lane: number, now: number): number {
    const laneRate = this.#scoreboard.recentRate(replica, now) * this.laneShareOf(replica, lane);
    return (this.#book.leftInLane(replica, lane) / laneRate) * 1000;
  }

  /** The part of a replica's rate that one of its streams has beside the others in use. */
  laneShareOf(replica: ReplicaId, lane: number): number {
    const lanes = new Set(this.#book.runningOf(replica).map(({ lease }) => lease.lane));
    return 1 / lanes.add(lane).size;
  }

  /** Milliseconds before bytes of what is leased to a replica can flow, as far as is known. */
  delayMs(replica: ReplicaId, now: number): number {
    const running = this.#book.runningOf(replica);
    if (running.length === 0) return 0;
    return Math.min(...running.map((one) => this.#delayMs(one, now)));
  }

  #delayMs({ lease, hasBytes, grantedAt }: Running, now: number): number {
    if (hasBytes) return 0;
    return Math.max(0, this.#scoreboard.latencyMs(lease.replica) - (now - grantedAt));
  }

  /** Bytes per second that a replica can be expected to deliver what it has left at. */
  rate(replica: ReplicaId, now: number): number {
    return Math.min(this.#scoreboard.recentRate(replica, now), this.silentRate(replica, now));
  }

  /**
   * The most that its silence leaves: whoever has been silent for so long may be for much longer.
   * Infinite for one that is not.
   */
  silentRate(replica: ReplicaId, now: number): number {
    const running = this.#book.runningOf(replica);
    const silentMs = Math.min(...running.map((one) => this.#book.silentMs(one, now)));
    const leftBytes = this.#book.leftBytes(replica);
    if (running.length === 0 || silentMs === 0 || leftBytes === 0) return Number.POSITIVE_INFINITY;
    return (leftBytes * 1000) / (limits.silenceMultiple * silentMs);
  }

  /**
   * Pieces in progress at other replicas that are not settled. One that is fetched twice already is
   * only as late as the sooner of both: when neither is soon, a third one may help.
   */
  stragglers(replica: ReplicaId, now: number): Straggler[] {
    const holders = new Map<number, Running[]>();
    for (const running of this.#book.running()) {
      const { next, end } = running.lease;
      if (next >= end || this.#ledger.settled.has(next)) continue;
      holders.set(next, [...(holders.get(next) ?? []), running]);
    }
    return [...holders.values()].flatMap((running) => {
      const [first] = running;
      if (first === undefined || running.some(({ lease }) => lease.replica === replica)) return [];
      const copies = running.map((one) => this.#straggler(one, now));
      return [copies.reduce((so, one) => (secondsLeft(one) < secondsLeft(so) ? one : so))];
    });
  }

  #straggler(running: Running, now: number): Straggler {
    const { lease, gotBytes } = running;
    const leftBytes = pieceLength(this.#ledger.layout, lease.next) - gotBytes;
    const { replica } = lease;
    const rate = this.#scoreboard.recentRate(replica, now) * this.laneShareOf(replica, lease.lane);
    const delayMs = this.#delayMs(running, now);
    return { lease, delayMs, leftBytes, rate, silentMs: this.#book.silentMs(running, now) };
  }
}
