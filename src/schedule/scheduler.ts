/**
 * The schedule's one face to a transfer: it is told what happened and says what to do next. Pure:
 * `now` and `random` come in, decisions go out. Who gets what is the allotment's, what a fault costs
 * the discipline's.
 */

import { limits } from "../limits.js";
import type { ReplicaId } from "../trust/quorum.js";
import { Allotment, type AllotmentOptions } from "./allotment.js";
import type { Charge } from "./blame.js";
import { type Ban, Discipline } from "./discipline.js";
import type { Fault } from "./faults.js";
import { LeaseBook } from "./lease-book.js";
import { piecesAskedFor } from "./lease-size.js";
import { type Lease, Ledger } from "./ledger.js";
import { byteCount, bytesOf, type Layout, type PieceIndex, pieceLength } from "./pieces.js";
import { type Range, RangeSet } from "./range.js";
import { Scoreboard } from "./scoreboard.js";
import { SlumpWatch } from "./slump.js";
import { type Flow, Streams } from "./streams.js";
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
  readonly #allotment: Allotment;
  readonly #slumps = new SlumpWatch();
  readonly #streams: Streams;
  readonly #limitRate: number;
  #lookedAt: number | undefined;
  #stoodStillMs = 0;

  /** `random`: uniform in [0, 1). */
  constructor(
    layout: Layout,
    options: AllotmentOptions & {
      readonly verified: RangeSet;
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
    this.#allotment = new Allotment({ ledger, scoreboard, book: this.#book }, options);
    this.#limitRate = options.limitRate ?? Number.POSITIVE_INFINITY;
    // Where a limit or a reader sets the pace, more streams bring nothing.
    const isPaced = options.limitRate !== undefined || options.windowBytes !== undefined;
    this.#streams = new Streams(isPaced ? 1 : limits.streams);
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
    if (this.isDone || this.ledger.leaseCount > 0) return false;
    return this.scoreboard.all().every((score) => this.scoreboard.isOutForGood(score));
  }

  /** Bytes per second of all replicas together, as far as theirs are known. */
  rate(now: number): number {
    const replicas = this.scoreboard.all().map(({ replica }) => replica);
    return this.scoreboard.knownSum(replicas, now);
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

  /**
   * For a file that is taken in order: so many pieces from its beginning are. The window moves with
   * them, rather than with what is settled, so that a slow reader costs no memory.
   */
  taken(pieces: number): void {
    this.ledger.taken(pieces);
  }

  /** Whether a replica takes part, and may be given work now. */
  isWaitingFor(replica: ReplicaId): boolean {
    return this.scoreboard
      .all()
      .some((score) => score.replica === replica && score.standing === "good");
  }

  /** A replica is being read for these pieces already: that becomes its first lease. */
  adopt(replica: ReplicaId, pieces: Range, now: number): Decision {
    return this.#start(this.ledger.adopt(replica, pieces), now);
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
    for (const replica of this.#slumps.update(this.scoreboard.paces(now), now)) {
      this.ledger.cut(replica, this.ledger.cuttable(replica));
    }
    this.#allotment.update(now);
    this.#countStreams(now);
    for (const replica of this.#allotment.ready(now)) {
      for (let lane = 0; lane < this.scoreboard.of(replica).streams; lane++) {
        const lease = this.#allotment.next(replica, now);
        if (lease !== undefined) decisions.push(this.#start(lease, now));
      }
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
    this.scoreboard.addSettled(replica, bytes, isFirst);
    const guilty = this.#discipline.delivered(replica, piece, now);
    const losers = rivals.filter((rival) => rival.end === piece + 1);
    for (const loser of losers) {
      this.ledger.forgiveHedge(1 - Math.min(1, this.#book.gotBytes(loser) / bytes));
      this.#book.close(loser, now);
    }
    return { isFirst, losers, guilty, runsDry: this.runsDry(replica, now) };
  }

  /** Whether a replica needs another lease: then decisions should not wait for the next tick. */
  runsDry(replica: ReplicaId, now: number): boolean {
    return this.#book.freeLane(replica, now) !== undefined;
  }

  /** A lease is over: done when `fault` is undefined. What it left open is wanted again. */
  ended(lease: Lease, fault: Fault | undefined, now: number): void {
    if (!this.ledger.isOpen(lease)) return;
    this.#book.close(lease, now);
    const hasBrought = lease.next > lease.start;
    if (fault?.kind === "short" || lease.next >= lease.end) this.scoreboard.addBrought(lease);
    if (fault === undefined) return;
    if (lease.lane > 0) this.#streams.failed(lease.replica, now);
    this.#discipline.faulted(lease.replica, fault, now, hasBrought);
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
    this.#slumps.forget();
    this.#streams.forget();
    this.scoreboard.shift(this.#stoodStillMs);
  }

  /** Measures whether one more stream to somebody would pay, or did. */
  #countStreams(now: number): void {
    if (this.#streams.isDue(now)) this.#streams.update(this.#flows(now), now);
    for (const { replica } of this.scoreboard.all()) {
      this.scoreboard.allowStreams(replica, this.#streams.of(replica));
    }
  }

  #flows(now: number): Flow[] {
    const { layout, pool } = this.ledger;
    const { pieceBytes } = layout;
    const scores = this.scoreboard.all();
    const rates = scores.map(({ replica }) => this.scoreboard.rate(replica, now));
    // What nobody has yet is everybody's.
    const poolMs = (byteCount(layout, pool) * 1000) / rates.reduce((sum, rate) => sum + rate, 0);
    return scores.map(({ replica, arrivedBytes: bytes, standing }) => ({
      ...{ replica, bytes, isGood: standing === "good" },
      latencyMs: this.scoreboard.leastLatencyMs(replica),
      workMs: this.#book.leftMs(replica, now) + poolMs,
      pieceMs: (pieceBytes / this.scoreboard.rate(replica, now)) * 1000,
    }));
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
    // Of one piece, who ends all reads half way brings half; what lies behind is not waited for.
    const least = piecesAskedFor(1, this.scoreboard.of(lease.replica).broughtShare);
    const end = Math.min(this.ledger.layout.pieceCount, Math.max(lease.end, lease.start + least));
    const bytes = bytesOf(this.ledger.layout, { start: lease.start, end });
    return { kind: "read", lease, bytes, deadlineMs };
  }
}
