/** A world in virtual time: replicas with rates and vices, and a transfer that does as told. */

import type { AllotmentOptions } from "../../src/schedule/allotment.js";
import type { Decision } from "../../src/schedule/decision.js";
import type { Fault } from "../../src/schedule/faults.js";
import type { Lease } from "../../src/schedule/ledger.js";
import { pieceIndex, pieceLength } from "../../src/schedule/pieces.js";
import { RangeSet } from "../../src/schedule/range.js";
import { Scheduler } from "../../src/schedule/scheduler.js";
import { frontierOf } from "../../src/schedule/window.js";
import { replicaId } from "../../src/trust/quorum.js";

export const pieceBytes = 64 * 1024;
const stepMs = 10;

/** One replica: how it delivers, and what is wrong with it. */
export interface Server {
  /** Bytes per second, now. */
  readonly rate: (now: number) => number;
  readonly latencyMs?: number;
  /** How many of so many bytes it sends before it ends the read, or, if it stalls, goes silent. */
  readonly sends?: (bytes: number) => number;
  readonly stalls?: boolean;
  /** Pieces that it delivers wrong. */
  readonly isCorrupt?: (piece: number) => boolean;
  /** What it answers instead of bytes, now. */
  readonly fault?: (now: number) => Fault | undefined;
}

/** A server that delivers so many pieces a second. */
export const at = (piecesPerSecond: number, vices: Partial<Server> = {}): Server => {
  return { rate: () => piecesPerSecond * pieceBytes, latencyMs: 10, ...vices };
};

interface Read {
  readonly lease: Lease;
  readonly grantedAt: number;
  piece: number;
  filled: number;
  /** Bytes that it still brings. */
  left: number;
}

export const corrupt = (piece: number): Fault => {
  const evidence = { piece, expected: "right", actual: "wrong", atMs: 5 };
  return { kind: "corrupt", detail: `piece ${piece} is wrong`, evidence };
};

const short: Fault = { kind: "short", detail: "half of it" };

export class SmallWorld {
  readonly scheduler: Scheduler;
  readonly decisions: Decision[] = [];
  readonly faults: string[] = [];
  /** The furthest above the frontier that a lease ever ended, in pieces. */
  furthestAhead = 0;
  now = 0;
  readonly #servers: Readonly<Record<string, Server>>;
  readonly #reads = new Map<number, Read>();

  constructor(
    pieces: number,
    servers: Readonly<Record<string, Server>>,
    random: () => number = () => 0.5,
    options: AllotmentOptions & { readonly limitRate?: number } = {},
  ) {
    const layout = { size: pieces * pieceBytes - 7, pieceBytes, pieceCount: pieces };
    this.scheduler = new Scheduler(layout, { ...options, verified: RangeSet.empty, random });
    this.#servers = servers;
    for (const [name, { latencyMs }] of Object.entries(servers)) {
      this.scheduler.join(replicaId(name), latencyMs);
    }
  }

  /** Runs until the file is there, nobody is left, or the time is up. */
  run(untilMs: number): this {
    while (!this.scheduler.isDone && !this.scheduler.isHopeless && this.now < untilMs) {
      for (const decision of this.scheduler.decide(this.now)) this.#carryOut(decision);
      this.now += stepMs;
      for (const name of Object.keys(this.#servers)) this.#serve(name);
    }
    return this;
  }

  score(name: string) {
    return this.scheduler.scoreboard.of(replicaId(name));
  }

  #carryOut(decision: Decision): void {
    const { kind, lease } = decision;
    this.decisions.push(decision);
    if (kind === "read") {
      const ahead = lease.end - frontierOf(this.scheduler.ledger.settled);
      this.furthestAhead = Math.max(this.furthestAhead, ahead);
      const asked = decision.bytes.end - decision.bytes.start;
      const left = this.#servers[lease.replica]?.sends?.(asked) ?? asked;
      const read = { lease, grantedAt: this.now, piece: lease.start, filled: 0, left };
      this.#reads.set(lease.id, read);
      return;
    }
    this.#reads.delete(lease.id);
    if (decision.fault !== undefined) this.faults.push(`${lease.replica} ${decision.fault.kind}`);
  }

  /** Gives a replica's reads what it sends in one step, the oldest read first. */
  #serve(name: string): void {
    const server = this.#servers[name];
    if (server === undefined) return;
    let budget = Math.floor((server.rate(this.now) * stepMs) / 1000);
    for (const read of [...this.#reads.values()]) {
      if (read.lease.replica !== name || !this.#reads.has(read.lease.id)) continue;
      const fault = server.fault?.(this.now);
      if (fault !== undefined) this.#fail(read, fault);
      else if (this.now - read.grantedAt >= (server.latencyMs ?? 0)) {
        budget -= this.#receive(read, server, budget);
      }
    }
  }

  /** Gives a read its bytes; tells how many it took. */
  #receive(read: Read, server: Server, budget: number): number {
    let taken = 0;
    while (taken < budget && this.#reads.has(read.lease.id)) {
      const length = pieceLength(this.scheduler.ledger.layout, read.piece);
      const bytes = Math.min(budget - taken, length - read.filled, read.left);
      if (bytes === 0) {
        if (server.stalls !== true) this.#fail(read, short);
        break;
      }
      read.left -= bytes;
      taken += bytes;
      read.filled += bytes;
      this.scheduler.arrived(read.lease, bytes, this.now);
      if (read.filled === length) this.#pieceCame(read, server);
      this.scheduler.awaiting(read.lease, this.now);
    }
    return taken;
  }

  #pieceCame(read: Read, server: Server): void {
    const { lease, piece } = read;
    if (server.isCorrupt?.(piece)) {
      this.#fail(read, corrupt(piece));
      return;
    }
    const { losers } = this.scheduler.settled(lease, pieceIndex(piece), this.now);
    for (const { id } of losers) this.#reads.delete(id);
    read.piece++;
    read.filled = 0;
    if (read.piece < lease.end) return;
    this.#reads.delete(lease.id);
    this.scheduler.ended(lease, undefined, this.now);
  }

  #fail(read: Read, fault: Fault): void {
    this.#reads.delete(read.lease.id);
    this.faults.push(`${read.lease.replica} ${fault.kind}`);
    this.scheduler.ended(read.lease, fault, this.now);
  }
}
