/**
 * The book of pieces: which are wanted, whose region they lie in, who holds a lease on them, which
 * are settled. It decides nothing; it keeps the invariant that every piece is in exactly one place
 * (hedged pieces excepted: they lie in two leases) and that no piece is settled twice.
 */

import { assert } from "../errors.js";
import type { ReplicaId } from "../trust/quorum.js";
import { type Layout, type PieceIndex, pieceIndex } from "./pieces.js";
import { type Range, RangeSet } from "./range.js";
import { frontierOf } from "./window.js";

/** One read of consecutive pieces from one replica. */
export interface Lease {
  readonly id: number;
  readonly replica: ReplicaId;
  /** Which of the replica's streams it runs on, from 0. */
  readonly lane: number;
  readonly start: PieceIndex;
  /** The piece after the last one; a cut moves it down, never below the piece in progress. */
  readonly end: number;
  /** The piece in progress. */
  readonly next: number;
  /** Whether it duplicates a piece that another lease holds. */
  readonly isHedge: boolean;
  /** Whether it was read before anybody knew what the file is: then nobody promised anything. */
  readonly isEarly: boolean;
}

type OpenLease = { -readonly [Key in keyof Lease]: Lease[Key] };

export class Ledger {
  readonly layout: Layout;
  #pool: RangeSet;
  #settled: RangeSet;
  readonly #regions = new Map<ReplicaId, RangeSet>();
  readonly #leases = new Map<number, OpenLease>();
  /** With 64 replicas, looking through all was a third of the time of a client. */
  readonly #byReplica = new Map<ReplicaId, readonly OpenLease[]>();
  #nextId = 1;
  #hedgedPieces = 0;
  #taken: number | undefined;

  /** `verified`: pieces that are on the disk already. */
  constructor(layout: Layout, verified: RangeSet = RangeSet.empty) {
    this.layout = layout;
    this.#settled = verified;
    this.#pool = RangeSet.of({ start: 0, end: layout.pieceCount }).subtract(verified);
  }

  /** Pieces that are nobody's for now. */
  get pool(): RangeSet {
    return this.#pool;
  }

  get settled(): RangeSet {
    return this.#settled;
  }

  /**
   * Settled pieces that still wait for the reader of a file that is taken in order; 0 where nobody
   * reads.
   */
  get waitingPieces(): number {
    const frontier = frontierOf(this.#settled);
    return Math.max(0, frontier - (this.#taken ?? frontier));
  }

  /** The reader has taken so many pieces from the file's beginning. */
  taken(pieces: number): void {
    this.#taken = pieces;
  }

  get isDone(): boolean {
    return this.#settled.count === this.layout.pieceCount;
  }

  /** Pieces hedged so far; of those that are there, only the part that came twice. */
  get hedgedPieces(): number {
    return this.#hedgedPieces;
  }

  /** The open leases, oldest first. */
  leases(): readonly Lease[] {
    return [...this.#leases.values()];
  }

  /** How many leases are open. */
  get leaseCount(): number {
    return this.#leases.size;
  }

  /** The open leases of one replica, oldest first. */
  leasesOf(replica: ReplicaId): readonly Lease[] {
    return this.#byReplica.get(replica) ?? [];
  }

  isOpen(lease: Lease): boolean {
    return this.#leases.has(lease.id);
  }

  /** What a replica is to deliver and holds no lease on yet. */
  region(replica: ReplicaId): RangeSet {
    return this.#regions.get(replica) ?? RangeSet.empty;
  }

  /** Moves pieces from the pool into a replica's region. */
  assign(replica: ReplicaId, pieces: RangeSet): void {
    assert(pieces.subtract(this.#pool).isEmpty, "what is assigned lay in the pool");
    this.#pool = this.#pool.subtract(pieces);
    this.#regions.set(replica, this.region(replica).union(pieces));
  }

  /** Gives a replica's region back to the pool. */
  release(replica: ReplicaId): void {
    this.#pool = this.#pool.union(this.region(replica));
    this.#regions.delete(replica);
  }

  /**
   * Opens a lease on the first run of consecutive pieces of a replica's region, at most `most`
   * long.
   */
  open(replica: ReplicaId, most: number, lane = 0): Lease {
    const run = this.region(replica).ranges[0];
    assert(run !== undefined && most > 0, `${replica} has a region to lease`);
    const range = { start: run.start, end: Math.min(run.end, run.start + most) };
    this.#regions.set(replica, this.region(replica).subtract(RangeSet.of(range)));
    return this.#add({ replica, lane, isHedge: false, isEarly: false }, range);
  }

  /** Opens a lease on pieces of the pool that are being read already. */
  adopt(replica: ReplicaId, range: Range): Lease {
    const pieces = RangeSet.of(range);
    assert(pieces.subtract(this.#pool).isEmpty, "what is adopted lay in the pool");
    this.#pool = this.#pool.subtract(pieces);
    return this.#add({ replica, lane: 0, isHedge: false, isEarly: true }, range);
  }

  /** Opens a second lease on a piece that another lease has in progress. */
  hedge(replica: ReplicaId, piece: number, lane = 0): Lease {
    this.#hedgedPieces++;
    return this.#add(
      { replica, lane, isHedge: true, isEarly: false },
      { start: piece, end: piece + 1 },
    );
  }

  /** One of two leases on a piece is over, and so large a part of it never came twice. */
  forgiveHedge(part: number): void {
    this.#hedgedPieces = Math.max(0, this.#hedgedPieces - part);
  }

  /**
   * Takes the last pieces of what a replica still is to deliver, region before leases, into the
   * pool. Of several streams, all but the one to spare, those with the most left lose the most.
   */
  cut(victim: ReplicaId, count: number, spare?: number): RangeSet {
    const [taken, rest] = this.region(victim).takeLast(count);
    if (!taken.isEmpty) this.#regions.set(victim, rest);
    let cut = taken;
    const leases = this.#cuttableLeases(victim, spare).reverse();
    for (const [lane, share] of evenCuts(leases, count - taken.count)) {
      let left = share;
      for (const lease of leases.filter((one) => one.lane === lane)) {
        const end = Math.max(lease.next + 1, lease.end - left);
        if (end >= lease.end) continue;
        cut = cut.union(RangeSet.of({ start: end, end: lease.end }));
        left -= lease.end - end;
        lease.end = end;
      }
    }
    this.#pool = this.#pool.union(cut);
    return cut;
  }

  /** Pieces that a cut could take from a replica: all but those in progress. */
  cuttable(victim: ReplicaId, spare?: number): number {
    const leases = this.#cuttableLeases(victim, spare);
    return leases.reduce((sum, lease) => sum + cuttableOf(lease), this.region(victim).count);
  }

  #cuttableLeases(victim: ReplicaId, spare: number | undefined): OpenLease[] {
    const leases = this.#byReplica.get(victim) ?? [];
    return leases.filter(({ isHedge, lane }) => !isHedge && lane !== spare);
  }

  /** A piece is verified and written. False when it was before; then these bytes were wasted. */
  settle(lease: Lease, piece: PieceIndex): boolean {
    const open = this.#leases.get(lease.id);
    if (open !== undefined) {
      assert(open.next === piece, `lease ${lease.id} settles its pieces in order`);
      open.next = piece + 1;
    }
    if (this.#settled.has(piece)) return false;
    const one = RangeSet.of({ start: piece, end: piece + 1 });
    this.#settled = this.#settled.union(one);
    this.#pool = this.#pool.subtract(one);
    for (const [replica, region] of this.#regions) {
      if (region.has(piece)) this.#regions.set(replica, region.subtract(one));
    }
    return true;
  }

  /** Pieces that turned out not to be right on the disk are wanted again. No lease is open. */
  reopen(pieces: RangeSet): void {
    assert(this.#leases.size === 0, "what is reopened is leased by nobody");
    this.#settled = this.#settled.subtract(pieces);
    this.#pool = this.#pool.union(pieces);
  }

  /** Ends a lease. What it did not settle, and no other lease holds, lies in the pool again. */
  close(lease: Lease): void {
    const open = this.#leases.get(lease.id);
    if (open === undefined) return;
    this.#leases.delete(lease.id);
    const others = (this.#byReplica.get(open.replica) ?? []).filter((one) => one !== open);
    this.#byReplica.set(open.replica, others);
    const rest = RangeSet.of({ start: open.next, end: open.end });
    this.#pool = this.#pool.union(rest.subtract(this.#settled).subtract(this.#leased()));
  }

  /** Open leases other than this one whose piece in progress is `piece`. */
  rivals(lease: Lease, piece: number): readonly Lease[] {
    return this.leases().filter(
      (other) => other.id !== lease.id && other.next === piece && piece < other.end,
    );
  }

  #leased(): RangeSet {
    const ranges = this.leases().map(({ next, end }): Range => ({ start: next, end }));
    return RangeSet.of(...ranges);
  }

  #add(of: Pick<Lease, "replica" | "lane" | "isHedge" | "isEarly">, { start, end }: Range): Lease {
    const id = this.#nextId++;
    const lease = { id, ...of, start: pieceIndex(start), end, next: start };
    this.#leases.set(id, lease);
    this.#byReplica.set(of.replica, [...(this.#byReplica.get(of.replica) ?? []), lease]);
    return lease;
  }
}

/** Pieces of a lease that are not in progress. */
function cuttableOf({ next, end }: Lease): number {
  return Math.max(0, end - next - 1);
}

/** How many pieces each stream loses of `count`, so that what is left is as even as can be. */
function evenCuts(leases: readonly Lease[], count: number): Map<number, number> {
  const left = new Map<number, number>();
  for (const lease of leases) {
    left.set(lease.lane, (left.get(lease.lane) ?? 0) + cuttableOf(lease));
  }
  const cuts = new Map([...left.keys()].map((lane) => [lane, 0]));
  for (let toCut = count; toCut > 0; ) {
    const [most, next] = [...left].sort(([, one], [, other]) => other - one);
    if (most === undefined || most[1] === 0) break;
    const [lane, pieces] = most;
    const taken = Math.min(toCut, Math.max(1, pieces - (next?.[1] ?? 0)));
    left.set(lane, pieces - taken);
    cuts.set(lane, (cuts.get(lane) ?? 0) + taken);
    toCut -= taken;
  }
  return cuts;
}
