/**
 * The schedule's one face to a transfer: it is told what happened and says what to do next. Pure:
 * `now` and `random` come in, decisions go out. Who gets what is the allotment's, what a fault costs
 * the discipline's.
 */

import { limits } from "../limits.js";
import type { ReplicaId } from "../trust/quorum.js";
import { Allotment, type AllotmentOptions } from "./allotment.js";
import type { Decision, Settlement } from "./decision.js";
import { type Ban, Discipline } from "./discipline.js";
import type { Fault } from "./faults.js";
import { flowsOf } from "./flows.js";
import { Forecast } from "./forecast.js";
import { LeaseBook } from "./lease-book.js";
import { piecesAskedFor } from "./lease-size.js";
import { type Lease, Ledger } from "./ledger.js";
import { byteCount, bytesOf, type Layout, type PieceIndex, pieceLength } from "./pieces.js";
import { type Range, RangeSet } from "./range.js";
import { isOutForGood, type Score } from "./score.js";
import { Scoreboard } from "./scoreboard.js";
import { SlumpWatch } from "./slump.js";
import { Streams } from "./streams.js";
import { leaseDeadlineMs } from "./watchdog.js";

export class Scheduler {
  readonly layout: Layout;
  /** The books: tests look into them; a use case asks the scheduler instead. */
  readonly ledger: Ledger;
  readonly scoreboard = new Scoreboard();
  readonly #book: LeaseBook;
  readonly #forecast: Forecast;
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
    this.layout = layout;
    this.ledger = new Ledger(layout, options.verified);
    this.#book = new LeaseBook(this.ledger, this.scoreboard);
    this.#forecast = new Forecast(this.ledger, this.scoreboard, this.#book);
    const { ledger, scoreboard } = this;
    const { random } = options;
    const books = { ledger, scoreboard, book: this.#book, forecast: this.#forecast };
    this.#discipline = new Discipline({ ...books, random });
    this.#allotment = new Allotment(books, options);
    this.#limitRate = options.limitRate ?? Number.POSITIVE_INFINITY;
    // Where a limit or a reader sets the pace, more streams bring nothing.
    const isPaced = options.limitRate !== undefined || options.windowBytes !== undefined;
    this.#streams = new Streams(isPaced ? 1 : limits.streams);
  }

  get isDone(): boolean {
    return this.ledger.isDone;
  }

  /** Pieces that are verified and on the disk. */
  get settledPieces(): RangeSet {
    return this.ledger.settled;
  }

  /** What came twice of pieces that were fetched twice. */
  get hedgedBytes(): number {
    return Math.round(this.ledger.hedgedPieces * this.layout.pieceBytes);
  }

  /** Of all who take part or took part, in the order in which they joined. */
  get scores(): readonly Score[] {
    return this.scoreboard.all();
  }

  /** Of one replica; `undefined` when it never took part. */
  scoreOf(replica: ReplicaId): Score | undefined {
    return this.scores.find((score) => score.replica === replica);
  }

  /** How many reads of a replica run. */
  leaseCountOf(replica: ReplicaId): number {
    return this.ledger.leasesOf(replica).length;
  }

  /** The most bytes of a piece in progress that any open lease holds. */
  get mostHeldBytes(): number {
    return this.#book.mostHeldBytes;
  }

  /** Whether nobody is left who could deliver what is missing. */
  get isHopeless(): boolean {
    if (this.isDone || this.ledger.leaseCount > 0) return false;
    return this.scores.every(isOutForGood);
  }

  /** Bytes per second of all replicas together, as far as theirs are known. */
  rate(now: number): number {
    const replicas = this.scores.map(({ replica }) => replica);
    return this.scoreboard.knownSum(replicas, now);
  }

  /** Bytes per second of one replica as measured, or `undefined`. */
  knownRate(replica: ReplicaId, now: number): number | undefined {
    return this.scoreboard.knownRate(replica, now);
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
    for (const loser of losers) this.#book.closeInVain(loser, now);
    return { isFirst, losers, guilty, runsDry: this.runsDry(replica, now) };
  }

  /** Whether a replica needs another lease: then decisions should not wait for the next tick. */
  runsDry(replica: ReplicaId, now: number): boolean {
    return this.#forecast.freeLane(replica, now) !== undefined;
  }

  /** A lease is over: done when `fault` is undefined. What it left open is wanted again. */
  ended(lease: Lease, fault: Fault | undefined, now: number): void {
    if (!this.ledger.isOpen(lease)) return;
    if (lease.isHedge && fault !== undefined) this.#book.closeInVain(lease, now);
    else this.#book.close(lease, now);
    const hasBrought = lease.next > lease.start;
    if (fault?.kind === "short" || lease.next >= lease.end) this.scoreboard.addBrought(lease);
    if (fault === undefined) return;
    if (lease.lane > 0) this.#streams.failed(lease.replica, now);
    this.#discipline.faulted(lease.replica, fault, now, hasBrought);
  }

  /** The transfer is over: whatever is still being read is wanted again. */
  endAll(now: number): void {
    for (const lease of this.ledger.leases()) this.ended(lease, undefined, now);
  }

  /** Pieces that turned out not to be right on the disk are wanted again. No lease is open. */
  reopen(pieces: RangeSet): void {
    this.ledger.reopen(pieces);
  }

  /** A replica gets no lease any more, for what was found out beside the transfer. */
  ban({ replica, evidence, why }: Ban): void {
    this.scoreboard.ban(replica, evidence, why);
  }

  /** It gets none either, though nothing proves it wrong. */
  withdraw(replica: ReplicaId, reason: string): void {
    this.scoreboard.withdraw(replica, reason);
  }

  /** A fault that counts in the receipt, whatever follows from it. */
  count(replica: ReplicaId, fault: Fault): void {
    this.scoreboard.count(replica, fault);
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
    const { ledger, scoreboard } = this;
    if (this.#streams.isDue(now)) {
      const flows = flowsOf({ ledger, scoreboard, forecast: this.#forecast }, now);
      this.#streams.update(flows, now);
    }
    for (const { replica } of this.scoreboard.all()) {
      this.scoreboard.allowStreams(replica, this.#streams.of(replica));
    }
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
