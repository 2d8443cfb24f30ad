/**
 * The schedule's one face to a transfer: it is told what happened and says what to do next. Pure:
 * `now` and `random` come in, decisions go out. Partition first, cut when a replica runs dry, hedge
 * at the end.
 */

import { limits } from "../limits.js";
import type { ReplicaId } from "../trust/quorum.js";
import type { Charge } from "./blame.js";
import { chooseCut } from "./cut.js";
import { type Ban, Discipline } from "./discipline.js";
import type { Fault } from "./faults.js";
import { chooseHedge, hedgeBudget } from "./hedge.js";
import { LeaseBook } from "./lease-book.js";
import { type Lease, Ledger } from "./ledger.js";
import { partition, partitionInto } from "./partition.js";
import { byteCount, bytesOf, type Layout, type PieceIndex, pieceLength } from "./pieces.js";
import { type Range, RangeSet } from "./range.js";
import { Scoreboard } from "./scoreboard.js";
import { leaseDeadlineMs } from "./watchdog.js";

/** What a transfer is to do now. */
export type Decision =
  /** Start reading these bytes. */
  | {
      readonly kind: "read";
      readonly lease: Lease;
      readonly bytes: Range;
      /** Milliseconds for the whole lease. */
      readonly deadlineMs: number;
    }
  /** Stop reading: the lease is closed already. With a fault when its replica is to blame. */
  | { readonly kind: "cancel"; readonly lease: Lease; readonly fault?: Fault };

/** What a settled piece brings about. */
export interface Settlement {
  /** Whether this was the first time: false means that the bytes were wasted. */
  readonly isFirst: boolean;
  /** Leases on the same piece that are of no use any more; they are closed already. */
  readonly losers: readonly Lease[];
  /** Replicas whose guilt this proved; they are banned already. */
  readonly guilty: readonly Charge[];
  /** Whether it is worth asking for decisions before the next tick. */
  readonly runsDry: boolean;
}

export class Scheduler {
  readonly ledger: Ledger;
  readonly scoreboard = new Scoreboard();
  readonly #book: LeaseBook;
  readonly #discipline: Discipline;
  readonly #chunks: number | undefined;
  readonly #limitRate: number;
  readonly #hedges: boolean;
  #hasPartitioned = false;
  #lookedAt: number | undefined;
  #stoodStillMs = 0;

  /**
   * `chunks`: how many first regions; as many as replicas by default. `random`: uniform in [0, 1).
   */
  constructor(
    layout: Layout,
    options: {
      readonly verified: RangeSet;
      readonly chunks?: number | undefined;
      /** Whether a piece may be fetched twice: not when nobody can tell which copy is right. */
      readonly hedges?: boolean;
      /** Bytes per second that all replicas together are held to. */
      readonly limitRate?: number | undefined;
      readonly random: () => number;
    },
  ) {
    this.ledger = new Ledger(layout, options.verified);
    this.#book = new LeaseBook(this.ledger, this.scoreboard);
    const { ledger, scoreboard } = this;
    const { random } = options;
    this.#discipline = new Discipline({ ledger, scoreboard, book: this.#book, random });
    this.#chunks = options.chunks;
    this.#hedges = options.hedges ?? true;
    this.#limitRate = options.limitRate ?? Number.POSITIVE_INFINITY;
  }

  get isDone(): boolean {
    return this.ledger.isDone;
  }

  /** The most bytes of a piece in progress that any open lease holds. */
  get mostHeldBytes(): number {
    return this.#book.mostHeldBytes;
  }

  /** Whether nobody is left who could deliver what is missing. */
  get isHopeless(): boolean {
    if (this.isDone || this.ledger.leases().length > 0) return false;
    return this.scoreboard.all().every((score) => this.scoreboard.isOutForGood(score));
  }

  /** A member of the quorum takes part; `latencyMs` is the round trip seen when it was asked. */
  join(replica: ReplicaId, latencyMs?: number): void {
    this.scoreboard.add(replica, latencyMs);
  }

  /**
   * Milliseconds for which we ourselves stood still before the last decisions; no clock counts
   * them.
   */
  get stoodStillMs(): number {
    return this.#stoodStillMs;
  }

  /** What to do now. To be asked again on every event, and at least each `limits.watchMs`. */
  decide(now: number): Decision[] {
    this.#forgiveOwnStall(now);
    const decisions: Decision[] = [];
    for (const { lease, fault } of this.#book.overdue(now)) {
      this.ended(lease, fault, now);
      decisions.push({ kind: "cancel", lease, fault });
    }
    this.#discipline.review(now);
    for (const lease of this.#discipline.revoked()) decisions.push({ kind: "cancel", lease });
    this.#partitionOnce(now);
    for (const replica of this.#readyReplicas(now)) {
      const lease = this.#nextLease(replica, now);
      if (lease !== undefined) decisions.push(this.#start(lease, now));
    }
    return decisions;
  }

  /**
   * Milliseconds until it should be asked again if nothing happens: soon, while somebody could
   * help.
   */
  lookAgainMs(now: number): number {
    const { ledger, scoreboard } = this;
    const isIdle = scoreboard.all().some((score) => {
      return scoreboard.isReady(score, now) && ledger.leasesOf(score.replica).length === 0;
    });
    return isIdle ? limits.hedgeLookMs : limits.watchMs;
  }

  /**
   * Bytes came. What follows is work of ours, so the lease's idle clock stands still until
   * `awaiting`.
   */
  arrived(lease: Lease, bytes: number, now: number): void {
    this.#book.arrived(lease, bytes, now);
  }

  /** We wait for the lease's next bytes from now on. */
  awaiting(lease: Lease, now: number): void {
    this.#book.awaiting(lease, now);
  }

  /** A piece is verified and written. */
  settled(lease: Lease, piece: PieceIndex, now: number): Settlement {
    const { replica } = lease;
    const bytes = pieceLength(this.ledger.layout, piece);
    const rivals = this.ledger.rivals(lease, piece);
    const isFirst = this.ledger.settle(lease, piece);
    this.#book.settled(lease, bytes);
    const score = this.scoreboard.of(replica);
    if (isFirst) score.deliveredBytes += bytes;
    else score.wastedBytes += bytes;
    const guilty = this.#discipline.delivered(replica, piece, now);
    const losers = rivals.filter((rival) => rival.end === piece + 1);
    for (const loser of losers) this.#book.close(loser, now);
    return { isFirst, losers, guilty, runsDry: this.#book.wantsMore(replica, now) };
  }

  /** A lease is over: done when `fault` is undefined. What it left open is wanted again. */
  ended(lease: Lease, fault: Fault | undefined, now: number): void {
    if (!this.ledger.isOpen(lease)) return;
    this.#book.close(lease, now);
    if (fault !== undefined) this.faulted(lease.replica, fault, now);
  }

  /** The bans since this was last asked. */
  bans(): readonly Ban[] {
    return this.#discipline.bans();
  }

  /** A replica did something wrong, within a lease or outside: draws the consequence. */
  faulted(replica: ReplicaId, fault: Fault, now: number): void {
    this.#discipline.faulted(replica, fault, now);
  }

  /** If we did not look for long, we stood still, not they: every clock moves by the gap. */
  #forgiveOwnStall(now: number): void {
    const elapsedMs = now - (this.#lookedAt ?? now);
    this.#lookedAt = now;
    this.#stoodStillMs = elapsedMs > limits.ownStallMs ? elapsedMs - limits.watchMs : 0;
    if (this.#stoodStillMs === 0) return;
    this.#book.shift(this.#stoodStillMs);
    this.scoreboard.shift(this.#stoodStillMs);
  }

  #partitionOnce(now: number): void {
    if (this.#hasPartitioned) return;
    const replicas = this.#readyReplicas(now);
    if (replicas.length === 0) return;
    this.#hasPartitioned = true;
    const wanted = this.ledger.pool;
    const shares = replicas.map((replica) => ({
      replica,
      weight: this.scoreboard.rate(replica, now),
    }));
    const regions =
      this.#chunks === undefined
        ? partition(wanted, shares)
        : partitionInto(this.#chunks, wanted, replicas);
    for (const [replica, region] of regions) this.ledger.assign(replica, region);
  }

  /** Those that may get a lease, the one with the least work left first. */
  #readyReplicas(now: number): ReplicaId[] {
    const ready = this.scoreboard.all().filter((score) => this.scoreboard.isReady(score, now));
    const order = ready.map(({ replica }) => ({
      replica,
      leftMs: this.#book.leftMs(replica, now),
    }));
    return order.sort((left, right) => left.leftMs - right.leftMs).map(({ replica }) => replica);
  }

  #nextLease(replica: ReplicaId, now: number): Lease | undefined {
    const { ledger, scoreboard } = this;
    const isProbe = scoreboard.of(replica).standing !== "good";
    const isIdle = ledger.leasesOf(replica).length === 0;
    if (!isIdle && (isProbe || !this.#book.wantsMore(replica, now))) return undefined;
    if (ledger.leases().length >= limits.leases) return undefined;
    if (ledger.region(replica).isEmpty) this.#refill(replica, isProbe, now);
    if (!ledger.region(replica).isEmpty) {
      return ledger.open(replica, this.#book.leasePieces(replica, now));
    }
    return isIdle && !isProbe ? this.#hedge(replica, now) : undefined;
  }

  /**
   * Finds new work for a replica that has none: what lies about, or the tail of somebody's region.
   */
  #refill(replica: ReplicaId, isProbe: boolean, now: number): void {
    const { ledger } = this;
    if (ledger.pool.isEmpty) {
      const [pieces] = this.#cut(replica, now).takeFirst(isProbe ? 1 : Number.MAX_SAFE_INTEGER);
      ledger.assign(replica, pieces);
      return;
    }
    const rates = this.scoreboard.all().filter((score) => this.scoreboard.isReady(score, now));
    const sum = rates.reduce((total, score) => total + this.scoreboard.rate(score.replica, now), 0);
    const share = this.scoreboard.rate(replica, now) / sum;
    const fair = Math.max(limits.firstLeasePieces, Math.ceil(ledger.pool.count * share));
    const [pieces] = ledger.pool.takeFirst(isProbe ? 1 : fair);
    ledger.assign(replica, pieces);
  }

  #cut(replica: ReplicaId, now: number): RangeSet {
    const victims = this.scoreboard.all().flatMap(({ replica: victim }) => {
      if (victim === replica) return [];
      const leftBytes = this.#book.leftBytes(victim);
      const rate = Math.max(1, this.#book.outlook(victim, now));
      return { replica: victim, leftBytes, rate, cuttable: this.ledger.cuttable(victim) };
    });
    const cutter = {
      rate: this.scoreboard.recentRate(replica, now),
      latencyMs: this.scoreboard.latencyMs(replica),
      busyMs: this.#book.leaseLeftMs(replica, now),
    };
    const cut = chooseCut(victims, cutter, this.ledger.layout.pieceBytes);
    return cut === undefined ? RangeSet.empty : this.ledger.cut(cut.replica, cut.pieces);
  }

  #hedge(replica: ReplicaId, now: number): Lease | undefined {
    const { ledger, scoreboard } = this;
    if (!this.#hedges || ledger.hedgedPieces >= hedgeBudget(ledger.layout.pieceCount))
      return undefined;
    const stragglers = this.#book.stragglers(replica, now);
    const own = {
      rate: scoreboard.recentRate(replica, now),
      latencyMs: scoreboard.latencyMs(replica),
    };
    const chosen = chooseHedge(stragglers, own, ledger.layout.pieceBytes);
    return chosen === undefined ? undefined : ledger.hedge(replica, chosen.next);
  }

  #start(lease: Lease, now: number): Decision {
    const pieces = RangeSet.of({ start: lease.start, end: lease.end });
    // Under a limit, a lease takes as long as we let it, and a replica is not late for that.
    const limited = this.#limitRate / this.scoreboard.all().length;
    const known = this.scoreboard.knownRate(lease.replica, now) ?? Number.POSITIVE_INFINITY;
    const fastest = Math.min(known, limited);
    const rate = Number.isFinite(fastest) ? fastest : undefined;
    const deadlineMs = leaseDeadlineMs(byteCount(this.ledger.layout, pieces), rate);
    this.#book.granted(lease, deadlineMs, now);
    const bytes = bytesOf(this.ledger.layout, { start: lease.start, end: lease.end });
    return { kind: "read", lease, bytes, deadlineMs };
  }
}
