/**
 * Decides what a replica gets that could do with work: its own region, what lies about, the tail
 * of somebody else's, or at the very end a piece a second time.
 */

import { limits } from "../limits.js";
import type { ReplicaId } from "../trust/quorum.js";
import { chooseCut, type Victim } from "./cut.js";
import type { Forecast } from "./forecast.js";
import { chooseHedge, hedgeBudget } from "./hedge.js";
import { Horizon } from "./horizon.js";
import type { LeaseBook } from "./lease-book.js";
import { leasePieces, piecesAskedFor } from "./lease-size.js";
import type { Lease, Ledger } from "./ledger.js";
import { RangeSet } from "./range.js";
import { type Books, Regions } from "./regions.js";
import type { Scoreboard } from "./scoreboard.js";
import { frontierOf, leadPieces, windowPieces, withinWindow } from "./window.js";

/** What an operator may ask of it. */
export interface AllotmentOptions {
  /** How many first regions; as many as replicas by default. */
  readonly chunks?: number | undefined;
  /** Whether a piece may be fetched twice: not when nobody can tell which copy is right. */
  readonly hedges?: boolean;
  /**
   * No piece is leased further than this above the first one that is not settled, for a file that
   * is taken in order; anywhere by default.
   */
  readonly windowBytes?: number | undefined;
  /** Whether a digest follows what is in place from the beginning. */
  readonly isFollowed?: boolean;
}

export class Allotment {
  readonly #ledger: Ledger;
  readonly #scoreboard: Scoreboard;
  readonly #book: LeaseBook;
  readonly #forecast: Forecast;
  readonly #regions: Regions;
  readonly #hedges: boolean;
  /** `undefined` where the file may be fetched in any order. */
  readonly #windowPieces: number | undefined;
  readonly #isFollowed: boolean;
  readonly #horizon: Horizon;
  /** Of every replica, as long as nothing changes: many in a row look for somebody to cut. */
  #victims: readonly (Victim | undefined)[] | undefined;

  constructor(parts: Books, options: AllotmentOptions) {
    this.#ledger = parts.ledger;
    this.#scoreboard = parts.scoreboard;
    this.#book = parts.book;
    this.#forecast = parts.forecast;
    this.#regions = new Regions(parts, options.chunks);
    this.#hedges = options.hedges ?? true;
    this.#isFollowed = options.isFollowed ?? false;
    const { windowBytes } = options;
    const { pieceBytes } = parts.ledger.layout;
    this.#horizon = new Horizon(pieceBytes, options.chunks === undefined);
    this.#windowPieces =
      windowBytes === undefined ? undefined : windowPieces(windowBytes, pieceBytes);
  }

  /**
   * Those that may get a lease now, the one with the least work left first. Who is only tried again
   * comes last: seven silent ones were seen to hold every piece left, one after the other, before
   * the eighth, which was idle and well.
   */
  ready(now: number): ReplicaId[] {
    const order = this.#inAnyOrder(now).map((replica) => ({
      replica,
      isProbe: Number(this.#scoreboard.of(replica).standing !== "good"),
      leftMs: this.#forecast.leftMs(replica, now),
      pieceMs: this.#pieceMs(replica, now),
    }));
    order.sort(
      (left, right) =>
        left.isProbe - right.isProbe || left.leftMs - right.leftMs || left.pieceMs - right.pieceMs,
    );
    return order.map(({ replica }) => replica);
  }

  /** The same for whom it is all one who comes first: among many, ordering them takes long. */
  #inAnyOrder(now: number): ReplicaId[] {
    const ready = this.#scoreboard.all().filter((score) => this.#scoreboard.isReady(score, now));
    return ready.map(({ replica }) => replica);
  }

  /** Milliseconds in which a replica that has nothing left would deliver a piece. */
  #pieceMs(replica: ReplicaId, now: number): number {
    const { pieceBytes } = this.#ledger.layout;
    const rate = this.#scoreboard.recentRate(replica, now);
    return this.#scoreboard.awaitMs(replica) + (pieceBytes / rate) * 1000;
  }

  /** Gives regions to those who are there. Near the frontier, nobody has one. */
  update(now: number): void {
    this.#victims = undefined;
    const ready = this.ready(now);
    if (this.#isFollowed) this.#follow(ready, now);
    if (this.#spanPieces === undefined) this.#regions.update(ready, now);
  }

  /** The next lease of a replica that is ready, opened; `undefined` when it is to wait. */
  next(replica: ReplicaId, now: number): Lease | undefined {
    const lease = this.#next(replica, now);
    if (lease !== undefined) this.#victims = undefined;
    return lease;
  }

  #next(replica: ReplicaId, now: number): Lease | undefined {
    const isProbe = this.#scoreboard.of(replica).standing !== "good";
    const isIdle = this.#ledger.leasesOf(replica).length === 0;
    if (isProbe && !isIdle) return undefined;
    const lane = isIdle ? 0 : this.#forecast.freeLane(replica, now);
    if (lane === undefined || this.#book.isFull) return undefined;
    if (this.#ledger.region(replica).isEmpty) this.#refill(replica, lane, now);
    if (!this.#ledger.region(replica).isEmpty) {
      return this.#ledger.open(replica, this.#leasePieces(replica, now), lane);
    }
    // Near the frontier, who is rescued early soon holds another piece that all wait for.
    const isTime = isIdle || this.#spanPieces === undefined;
    return isTime && !isProbe ? this.#hedge(replica, lane, now) : undefined;
  }

  /**
   * Finds new work for a replica that has none: its part of what nobody has leased, or the tail of
   * somebody's lease, its own on another stream included.
   */
  #refill(replica: ReplicaId, lane: number, now: number): void {
    const isProbe = this.#scoreboard.of(replica).standing !== "good";
    const isLevelled = !isProbe && this.#spanPieces === undefined;
    if (isLevelled && !this.#ledger.pool.isEmpty) {
      this.#level(this.ready(now), now);
      if (!this.#ledger.region(replica).isEmpty) return;
    }
    const all = this.#free(replica, now);
    const free = isProbe ? all.subtract(this.#beyondReach(replica)) : all;
    const endMs = () =>
      Math.max(0, ...this.#inAnyOrder(now).map((one) => this.#forecast.leftMs(one, now)));
    if (free.isEmpty && isProbe && endMs() < limits.firstByteMs) return;
    const source = free.isEmpty ? this.#cut(replica, lane, now) : free;
    if (isLevelled && free.isEmpty) {
      // When it was all for the one that asked first, that one ended last.
      if (!source.isEmpty) this.#level(this.#inAnyOrder(now), now);
      return;
    }
    const wanted = () => (free.isEmpty ? source.count : this.#mostPieces(replica, now));
    const [pieces] = source.takeFirst(isProbe ? 1 : wanted());
    this.#ledger.assign(replica, pieces);
  }

  /** Divides what nobody has leased. */
  #level(ready: readonly ReplicaId[], now: number): void {
    this.#regions.level(ready, now);
    this.#victims = undefined;
  }

  /** Behind the last pieces of a file there is nothing more to ask for, so that they come. */
  #beyondReach(replica: ReplicaId): RangeSet {
    const least = piecesAskedFor(1, this.#scoreboard.of(replica).broughtShare);
    const others = this.#scoreboard.all().filter((score) => score.replica !== replica);
    if (least === 1 || others.every((score) => this.#scoreboard.isOut(score))) {
      return RangeSet.empty;
    }
    const end = this.#ledger.layout.pieceCount;
    return RangeSet.of({ start: Math.max(0, end - least + 1), end });
  }

  /** What lies about that this replica may have. */
  #free(replica: ReplicaId, now: number): RangeSet {
    const { pool, settled } = this.#ledger;
    if (this.#spanPieces === undefined || pool.isEmpty) return pool;
    // What waits for a slow reader takes up memory as much as what is on its way.
    const pieces = (this.#windowPieces ?? Number.POSITIVE_INFINITY) - this.#ledger.waitingPieces;
    const leadPieces = this.#leadPieces(replica, now);
    const near = withinWindow(pool, frontierOf(settled), { pieces, leadPieces });
    return near.isEmpty && this.#windowPieces === undefined ? pool : near;
  }

  /** Pieces among which leases are given, from the frontier on; `undefined` where regions are. */
  get #spanPieces(): number | undefined {
    return this.#windowPieces ?? this.#horizon.pieces;
  }

  /** Where leases come near the frontier again, what anybody had further up is free. */
  #follow(ready: readonly ReplicaId[], now: number): void {
    const { layout, settled } = this.#ledger;
    const leftBytes = (layout.pieceCount - settled.count) * layout.pieceBytes;
    const rate = this.#scoreboard.knownSum(ready, now);
    const latencyMs = Math.max(0, ...ready.map((one) => this.#scoreboard.latencyMs(one)));
    const hadRegions = this.#horizon.pieces === undefined;
    this.#horizon.update({ leftBytes, replicas: ready.length, rate, latencyMs });
    if (!hadRegions || this.#horizon.pieces === undefined) return;
    for (const { replica } of this.#scoreboard.all()) this.#ledger.release(replica);
  }

  #rateSum(now: number): number {
    return this.#inAnyOrder(now).reduce((sum, one) => sum + this.#scoreboard.rate(one, now), 0);
  }

  /** Near the frontier two leases of everybody must have room, so each of them is small. */
  #leasePieces(replica: ReplicaId, now: number): number {
    const { pieceBytes } = this.#ledger.layout;
    const pieces = leasePieces(this.#scoreboard, { replica, pieceBytes, now });
    if (this.#spanPieces === undefined) return pieces;
    const share = this.#scoreboard.rate(replica, now) / this.#rateSum(now);
    const room = Math.floor((this.#spanPieces * share) / 2);
    return Math.max(1, Math.min(pieces, room));
  }

  /** Towards the end, nobody takes what others would have sooner: it is cut from it again. */
  #mostPieces(replica: ReplicaId, now: number): number {
    const pieces = this.#leasePieces(replica, now);
    const isInOrder = this.#windowPieces !== undefined;
    if (isInOrder || this.#ledger.pool.count >= (this.#horizon.pieces ?? 0)) return pieces;
    this.#victims = undefined;
    return Math.min(pieces, this.#regions.fairPieces(replica, this.#inAnyOrder(now), now));
  }

  #leadPieces(replica: ReplicaId, now: number): number {
    const { pieceBytes } = this.#ledger.layout;
    const pieceMs = (one: ReplicaId) =>
      this.#forecast.leaseLeftMs(one, now) +
      this.#scoreboard.latencyMs(one) +
      (pieceBytes / this.#scoreboard.rate(one, now)) * 1000;
    if (this.#scoreboard.knownRate(replica, now) === undefined) return 0;
    const sum = { rate: this.#rateSum(now), pieceBytes };
    return leadPieces(this.#inAnyOrder(now).map(pieceMs), pieceMs(replica), sum);
  }

  #cut(replica: ReplicaId, lane: number, now: number): RangeSet {
    const isBusy = this.#ledger.leasesOf(replica).some((lease) => lease.lane !== lane);
    const share = this.#forecast.laneShareOf(replica, lane);
    const all = this.#scoreboard.all();
    this.#victims ??= all.map((one) => this.#victim(one.replica, now));
    const victims: Victim[] = [];
    for (const [index, one] of all.entries()) {
      const isOwn = one.replica === replica;
      const own = isOwn && isBusy ? this.#victim(replica, now, { lane, share }) : undefined;
      const victim = isOwn ? own : this.#victims[index];
      if (victim !== undefined) victims.push(victim);
    }
    const cutter = {
      rate: share * this.#scoreboard.recentRate(replica, now),
      latencyMs: this.#scoreboard.awaitMs(replica),
      busyMs: this.#forecast.laneLeftMs(replica, lane, now),
    };
    const { pieceBytes } = this.#ledger.layout;
    const cut = chooseCut(victims, cutter, pieceBytes);
    if (cut === undefined) return RangeSet.empty;
    const spare = cut.replica === replica ? lane : undefined;
    const pieces = this.#spanPieces === undefined ? cut.beyondEnd : cut.pieces;
    return this.#ledger.cut(cut.replica, pieces, spare);
  }

  /**
   * What a cut could be taken from, or who could help with it; `undefined` for neither. `own`: by
   * one of its own streams, which is not cut itself.
   */
  #victim(
    replica: ReplicaId,
    now: number,
    own?: { readonly lane: number; readonly share: number },
  ): Victim | undefined {
    const ownBytes = own === undefined ? 0 : this.#book.leftInLane(replica, own.lane);
    const leftBytes = this.#book.leftBytes(replica) - ownBytes;
    const score = this.#scoreboard.of(replica);
    const canHelp = score.standing === "good" && this.#scoreboard.isReady(score, now);
    if (leftBytes === 0 && !canHelp) return undefined;
    const part = own === undefined ? 1 : 1 - own.share;
    const rate = Math.max(1, part * this.#forecast.rate(replica, now));
    const latencyMs = this.#scoreboard.awaitMs(replica);
    const delayMs = leftBytes === 0 ? 0 : this.#forecast.delayMs(replica, now);
    const cuttable = this.#book.cuttable(replica, now, own?.lane);
    const isSending = this.#ledger.region(replica).isEmpty && this.#book.isSending(replica);
    return { replica, delayMs, latencyMs, leftBytes, rate, cuttable, isSending };
  }

  #hedge(replica: ReplicaId, lane: number, now: number): Lease | undefined {
    const { layout, hedgedPieces } = this.#ledger;
    if (!this.#hedges || hedgedPieces + 1 > hedgeBudget(layout.pieceCount)) return undefined;
    const stragglers = this.#forecast.stragglers(replica, now);
    const isKnown = this.#scoreboard.knowsRates(now);
    const rate = this.#scoreboard.recentRate(replica, now);
    const busyMs = (this.#book.leftInLane(replica, lane) / rate) * 1000;
    const own = {
      rate: isKnown ? rate : undefined,
      latencyMs: Math.max(this.#scoreboard.awaitMs(replica), busyMs),
    };
    const frontier = frontierOf(this.#ledger.settled);
    const urgent = stragglers.filter(
      ({ lease }) => this.#windowPieces !== undefined && lease.next === frontier,
    );
    const chosen =
      chooseHedge(urgent, own, layout.pieceBytes) ??
      chooseHedge(stragglers, own, layout.pieceBytes);
    return chosen === undefined ? undefined : this.#ledger.hedge(replica, chosen.next, lane);
  }
}
