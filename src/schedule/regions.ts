/**
 * Decides whose region what nobody has leased is: equal parts at first, or by the rates where they
 * are known, and anew once they are, or when somebody left work behind.
 */

import { limits } from "../limits.js";
import type { ReplicaId } from "../trust/quorum.js";
import type { Forecast } from "./forecast.js";
import type { LeaseBook } from "./lease-book.js";
import type { Ledger } from "./ledger.js";
import { level, levelMs, type Worker } from "./level.js";
import { partition, partitionInto } from "./partition.js";
import type { RangeSet } from "./range.js";
import type { Scoreboard } from "./scoreboard.js";

/** What regions are cut from, and by. */
export interface Books {
  readonly ledger: Ledger;
  readonly scoreboard: Scoreboard;
  readonly book: LeaseBook;
  readonly forecast: Forecast;
}

export class Regions {
  readonly #ledger: Ledger;
  readonly #scoreboard: Scoreboard;
  readonly #book: LeaseBook;
  readonly #forecast: Forecast;
  readonly #chunks: number | undefined;
  #areGiven = false;
  #followRates = false;

  /** `chunks`: how many first regions; as many as replicas by default. */
  constructor({ ledger, scoreboard, book, forecast }: Books, chunks: number | undefined) {
    this.#ledger = ledger;
    this.#scoreboard = scoreboard;
    this.#book = book;
    this.#forecast = forecast;
    this.#chunks = chunks;
  }

  /** To be called whenever anything may have changed, with those that may get a lease. */
  update(ready: readonly ReplicaId[], now: number): void {
    if (ready.length === 0) return;
    if (!this.#areGiven) {
      this.#areGiven = true;
      this.#followRates = this.#chunks !== undefined;
      this.#move(this.#first(ready, now));
      return;
    }
    if (this.#followRates) return;
    if (ready.some((one) => !this.#isWellKnown(one, now))) return;
    this.#followRates = true;
    if (this.#gainMs(ready, now) > limits.cutGainMs) this.level(ready, now);
  }

  /** Divides what nobody has leased anew, so that all end together. */
  level(ready: readonly ReplicaId[], now: number): void {
    const workers = this.#workers(ready, now);
    // Everybody goes on where it is, as far as that can be: reads that follow each other are long.
    workers.sort((left, right) => this.#placeOf(left.replica) - this.#placeOf(right.replica));
    this.#move(level(this.#wanted(), workers, this.#ledger.layout.pieceBytes));
  }

  /**
   * Pieces of the pool that a replica would deliver before all of it is there. Who would have one
   * first may always take one: where each has less than half of one, nobody took the last.
   */
  fairPieces(replica: ReplicaId, ready: readonly ReplicaId[], now: number): number {
    const workers = this.#workers(ready, now);
    const own = workers.find((worker) => worker.replica === replica);
    if (own === undefined) return 0;
    this.#takeBack(workers, now);
    const { pieceBytes } = this.#ledger.layout;
    const pieceMs = ({ rate, busyMs }: Worker) => busyMs + (pieceBytes * 1000) / rate;
    const isFirst = pieceMs(own) <= Math.min(...workers.map(pieceMs));
    const poolMs = levelMs(this.#ledger.pool.count * pieceBytes, workers);
    return Math.max(isFirst ? 1 : 0, this.#piecesIn(poolMs - own.busyMs, own.rate));
  }

  /**
   * Who has far more to do than until the end that all can reach together gives the rest back now:
   * once the others have nothing else to do, each of them would lose the way there and back. By the
   * best that it has shown, unless it is silent: one that is slow just now may be fast again.
   */
  #takeBack(workers: readonly Worker[], now: number): void {
    const { pieceBytes } = this.#ledger.layout;
    const left = workers.reduce((sum, one) => sum + this.#book.leftBytes(one.replica), 0);
    const all = workers.map(({ replica, rate }) => {
      return { rate, busyMs: this.#forecast.delayMs(replica, now) };
    });
    const endMs = levelMs(left + this.#ledger.pool.count * pieceBytes, all);
    for (const { replica } of workers) {
      const usual = this.#scoreboard.of(replica).meter.usualRate(now) ?? 0;
      const best = Math.max(usual, this.#scoreboard.rate(replica, now));
      const rate = Math.min(best, this.#forecast.silentRate(replica, now));
      const leftMs = (this.#book.leftBytes(replica) / rate) * 1000;
      if (leftMs <= limits.cutEndMultiple * endMs) continue;
      const pieces = this.#piecesIn(leftMs - endMs, rate);
      this.#ledger.cut(replica, Math.min(pieces, this.#ledger.cuttable(replica)));
    }
  }

  #piecesIn(ms: number, rate: number): number {
    return Math.max(0, Math.round((rate * ms) / 1000 / this.#ledger.layout.pieceBytes));
  }

  #first(ready: readonly ReplicaId[], now: number): Map<ReplicaId, RangeSet> {
    const { pool } = this.#ledger;
    if (this.#chunks !== undefined) return partitionInto(this.#chunks, pool, ready);
    const weight = (replica: ReplicaId) => this.#scoreboard.rate(replica, now);
    return partition(
      pool,
      ready.map((replica) => ({ replica, weight: weight(replica) })),
    );
  }

  #isWellKnown(replica: ReplicaId, now: number): boolean {
    const { flowMs } = this.#scoreboard.of(replica).meter;
    return flowMs >= limits.levelFlowMs && this.#scoreboard.knownRate(replica, now) !== undefined;
  }

  /** How much sooner the end would be, less what is too little to disturb anybody for. */
  #gainMs(ready: readonly ReplicaId[], now: number): number {
    const { pieceBytes } = this.#ledger.layout;
    const workers = this.#workers(ready, now);
    const ends = workers.map(({ replica, rate, busyMs }) => {
      return busyMs + ((this.#ledger.region(replica).count * pieceBytes) / rate) * 1000;
    });
    const endMs = Math.max(0, ...ends);
    return endMs * (1 - limits.levelShare) - levelMs(this.#wanted().count * pieceBytes, workers);
  }

  #wanted(): RangeSet {
    const regions = this.#scoreboard.all().map(({ replica }) => this.#ledger.region(replica));
    return regions.reduce((all, region) => all.union(region), this.#ledger.pool);
  }

  #workers(ready: readonly ReplicaId[], now: number): Worker[] {
    const good = ready.filter((one) => this.#scoreboard.of(one).standing === "good");
    return good.map((replica) => {
      // Whoever is busy for less than the way there and back waits for what it asks for now.
      const busyMs = Math.max(
        this.#scoreboard.awaitMs(replica),
        this.#forecast.busyMs(replica, now),
      );
      return { replica, rate: this.#forecast.rate(replica, now), busyMs };
    });
  }

  #move(regions: ReadonlyMap<ReplicaId, RangeSet>): void {
    if (regions.size === 0) return;
    for (const { replica } of this.#scoreboard.all()) this.#ledger.release(replica);
    for (const [replica, region] of regions) this.#ledger.assign(replica, region);
  }

  /** The piece that a replica is to go on with. */
  #placeOf(replica: ReplicaId): number {
    const lease = this.#ledger.leasesOf(replica).at(-1);
    return lease?.end ?? this.#ledger.region(replica).ranges[0]?.start ?? 0;
  }
}
