/** A scheduler driven by hand: one-letter worlds, and what a transfer would tell it. */

import assert from "node:assert/strict";
import type { Decision } from "../../src/schedule/decision.js";
import type { Fault } from "../../src/schedule/faults.js";
import type { Lease } from "../../src/schedule/ledger.js";
import { pieceIndex, pieceLength } from "../../src/schedule/pieces.js";
import { RangeSet } from "../../src/schedule/range.js";
import { Scheduler } from "../../src/schedule/scheduler.js";
import { replicaId } from "../../src/trust/quorum.js";
import { pieceBytes } from "./small-world.js";

export const [A, B] = [replicaId("A"), replicaId("B")];
export const unreachable: Fault = { kind: "unreachable", detail: "no route" };
export const busy: Fault = { kind: "busy", retryMs: 2000 };

/** A file of so many pieces, and replicas A, B, … that took part from the start. */
export function w(pieces: number, replicas: string, chunks?: number): Scheduler {
  const layout = { size: pieces * pieceBytes, pieceBytes, pieceCount: pieces };
  const scheduler = new Scheduler(layout, { verified: RangeSet.empty, chunks, random: () => 0.5 });
  for (const name of replicas) scheduler.join(replicaId(name));
  return scheduler;
}

/** What was decided, sorted: `A0-16` is a read of these pieces, `-A0` one that is cancelled. */
export const text = (decisions: readonly Decision[]) =>
  decisions
    .map(({ kind, lease: { replica, start, end } }) =>
      kind === "read" ? `${replica}${start}-${end}` : `-${replica}${start}`,
    )
    .sort()
    .join(" ");

/** The lease of a replica that is open, the oldest first. */
export function leaseOf(scheduler: Scheduler, replica = A): Lease {
  const [lease] = scheduler.ledger.leasesOf(replica);
  assert.ok(lease !== undefined, `${replica} has a lease`);
  return lease;
}

/** A piece comes whole, is verified and written. */
export function piece(scheduler: Scheduler, lease: Lease, now: number) {
  scheduler.arrived(lease, pieceLength(scheduler.ledger.layout, lease.next), now);
  const settlement = scheduler.settled(lease, pieceIndex(lease.next), now);
  scheduler.awaiting(lease, now);
  return settlement;
}

/** A replica's oldest lease ends with a fault. */
export function failed(scheduler: Scheduler, replica: typeof A, fault: Fault, now: number): void {
  scheduler.ended(leaseOf(scheduler, replica), fault, now);
}

export const standing = (scheduler: Scheduler, replica = A) =>
  scheduler.scoreboard.of(replica).standing;
