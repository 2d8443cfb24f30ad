/**
 * What is known of each open lease: its clocks and its bytes, and what they tell the scoreboard of
 * the replica. What is to be expected of them is the forecast's.
 */

import { limits } from "../limits.js";
import type { ReplicaId } from "../trust/quorum.js";
import type { Fault } from "./faults.js";
import type { Lease, Ledger } from "./ledger.js";
import { byteCount, bytesOf, pieceLength } from "./pieces.js";
import type { Scoreboard } from "./scoreboard.js";
import { isInTime, watch } from "./watchdog.js";

/** What runs in an open lease. Milliseconds of the same clock as `now`. */
export interface Running {
  readonly lease: Lease;
  readonly grantedAt: number;
  /** When the whole lease must be over. */
  readonly deadlineAt: number;
  /** Since when we wait for its next bytes; `undefined` while we are busy with the last ones. */
  readonly waitingSince: number | undefined;
  readonly hasBytes: boolean;
  /** Whether another lease on its stream had bytes to come when it was granted. */
  readonly isBehindAnother: boolean;
  /** Bytes of the piece in progress that have come. */
  readonly gotBytes: number;
}

type Clocks = { -readonly [Key in keyof Running]: Running[Key] };

export class LeaseBook {
  readonly #ledger: Ledger;
  readonly #scoreboard: Scoreboard;
  /** By lease. Which leases a replica has the ledger knows. */
  readonly #running = new Map<number, Clocks>();
  /** When bytes last came on each stream. */
  readonly #laneByteAt = new Map<string, number>();

  constructor(ledger: Ledger, scoreboard: Scoreboard) {
    this.#ledger = ledger;
    this.#scoreboard = scoreboard;
  }

  granted(lease: Lease, deadlineMs: number, now: number): void {
    const clocks = { grantedAt: now, deadlineAt: now + deadlineMs, waitingSince: now };
    const isBehindAnother = this.leftInLane(lease.replica, lease.lane) > 0;
    const begun = { hasBytes: false, isBehindAnother, gotBytes: 0 };
    const running = { lease, ...clocks, ...begun };
    this.#running.set(lease.id, running);
    // Where the next lease cannot be asked for in time, the way there takes from what it brings.
    const { broughtShare } = this.#scoreboard.of(lease.replica);
    if (broughtShare < 1) this.#scoreboard.startFlow(lease.replica, now);
  }

  /** Bytes came. The first ones tell the latency; they start the meter, but are not on it. */
  arrived(lease: Lease, bytes: number, now: number): void {
    const { replica } = lease;
    this.#scoreboard.heard(replica, now);
    this.#laneByteAt.set(laneOf(lease), now);
    const running = this.#running.get(lease.id);
    if (running === undefined) {
      this.#scoreboard.addWasted(replica, bytes);
      return;
    }
    running.gotBytes += bytes;
    if (running.hasBytes && running.waitingSince !== undefined) {
      this.#scoreboard.addGap(replica, now - running.waitingSince);
    }
    running.waitingSince = undefined;
    const hadBytes = running.hasBytes;
    running.hasBytes = true;
    // How long that was on its way, and waited for us, nobody knows.
    if (lease.isEarly) return;
    const waitMs = now - running.grantedAt;
    const isFlowing = this.runningOf(replica).some(
      (one) => (one === running ? hadBytes : one.hasBytes) && !one.lease.isEarly,
    );
    if (isFlowing) this.#scoreboard.addArrived(replica, bytes, now);
    else this.#scoreboard.startFlow(replica, now, { bytes, waitMs });
    if (!hadBytes) this.#scoreboard.addLatency(replica, waitMs, running.isBehindAnother);
  }

  /** What runs in all open leases, oldest first. */
  running(): Iterable<Running> {
    return this.#running.values();
  }

  /** The most bytes of a piece in progress that any open lease holds. */
  get mostHeldBytes(): number {
    return Math.max(0, ...[...this.#running.values()].map(({ gotBytes }) => gotBytes));
  }

  /**
   * Whether no more may be read at once. What came, and waits to be checked or written, is no read:
   * but there is not more of it than of reads, or a disk that stands still would fill our memory.
   */
  get isFull(): boolean {
    if (this.#running.size < limits.leases) return false;
    if (this.#running.size >= 2 * limits.leases) return true;
    const reads = [...this.#running.values()].filter((one) => this.leftOf([one]) > 0);
    return reads.length >= limits.leases;
  }

  /**
   * Pieces that a cut may take from a replica. Not at once of what was read before the vote: that
   * is likely to be here, and only waits for us. `spare`: a stream that is not cut.
   */
  cuttable(replica: ReplicaId, now: number, spare?: number): number {
    const pieces = this.#ledger.cuttable(replica, spare);
    const isHere = this.runningOf(replica).some(
      ({ lease, grantedAt }) => lease.isEarly && now - grantedAt < limits.earlyNearMs,
    );
    return isHere ? Math.min(pieces, this.#ledger.region(replica).count) : pieces;
  }

  awaiting(lease: Lease, now: number): void {
    const running = this.#running.get(lease.id);
    if (running !== undefined) running.waitingSince ??= now;
  }

  settled(lease: Lease, bytes: number): void {
    const running = this.#running.get(lease.id);
    if (running !== undefined) running.gotBytes -= bytes;
  }

  /** Ends a lease; the bytes of a piece in progress are lost with it. */
  close(lease: Lease, now: number): void {
    const { replica } = lease;
    const running = this.#running.get(lease.id);
    if (running !== undefined) {
      this.#scoreboard.addWasted(replica, running.gotBytes);
      // Whoever was silent when its piece came from elsewhere is no better for having no lease.
      this.#scoreboard.endedSilent(replica, this.silentMs(running, now));
      this.#running.delete(lease.id);
    }
    if (!this.isSending(replica)) this.#scoreboard.stopFlow(replica, now);
    this.#ledger.close(lease);
  }

  /** Ends one of two leases on a piece: as a hedge counts only what came of it twice. */
  closeInVain(lease: Lease, now: number): void {
    if (lease.next < lease.end) {
      const bytes = pieceLength(this.#ledger.layout, lease.next);
      this.#ledger.forgiveHedge(1 - Math.min(1, this.gotBytes(lease) / bytes));
    }
    this.close(lease, now);
  }

  /** The leases whose time is over, with the fault that each of them is. */
  overdue(now: number): { readonly lease: Lease; readonly fault: Fault }[] {
    const overdue: { readonly lease: Lease; readonly fault: Fault }[] = [];
    for (const running of this.#running.values()) {
      if (isInTime(running, now)) continue;
      const { lease, ...clocks } = running;
      const { replica } = lease;
      const score = this.#scoreboard.of(replica);
      // What came in another lease on the same stream shows that it lives: they share its link.
      const laneByteAt = this.#laneByteAt.get(laneOf(lease)) ?? clocks.grantedAt;
      const since = Math.max(clocks.waitingSince ?? now, laneByteAt);
      const clock = {
        ...clocks,
        waitingSince: clocks.waitingSince === undefined ? undefined : since,
        latencyMs: this.#scoreboard.latencyMs(replica),
        worstLatencyMs: this.#scoreboard.worstLatencyMs(replica),
        usualGapMs: score.usualGapMs,
        faultsInARow: score.faultsInARow,
        // A replica that sends on another stream lives: this one's turn may only be late.
        othersMoved:
          (score.lastByteAt ?? since) <= since && this.#scoreboard.othersMovedSince(replica, since),
      };
      const fault = watch(clock, now);
      if (fault !== undefined) overdue.push({ lease, fault });
    }
    return overdue;
  }

  /** Moves every clock by a gap in which we ourselves stood still. */
  shift(gapMs: number): void {
    for (const running of this.#running.values()) {
      running.grantedAt += gapMs;
      running.deadlineAt += gapMs;
      if (running.waitingSince !== undefined) running.waitingSince += gapMs;
    }
  }

  /** Bytes that a replica still is to deliver: its region, and what is open in its leases. */
  leftBytes(replica: ReplicaId): number {
    return (
      this.leaseLeftBytes(replica) + byteCount(this.#ledger.layout, this.#ledger.region(replica))
    );
  }

  /** Bytes of a lease's piece in progress that have come. */
  gotBytes(lease: Lease): number {
    return this.#running.get(lease.id)?.gotBytes ?? 0;
  }

  /** Whether bytes of a replica's leases have begun to come. */
  isSending(replica: ReplicaId): boolean {
    return this.runningOf(replica).some(({ hasBytes }) => hasBytes);
  }

  /** Milliseconds without a byte on its stream, its usual gap, or latency, not counted. */
  silentMs({ lease, hasBytes, waitingSince }: Running, now: number): number {
    if (waitingSince === undefined) return 0;
    const { usualGapMs, usualLatencyMs } = this.#scoreboard.of(lease.replica);
    // Behind another lease, the first byte comes after that one's last.
    const laneByteAt = this.#laneByteAt.get(laneOf(lease)) ?? waitingSince;
    const dueAt = waitingSince + (hasBytes ? usualGapMs : usualLatencyMs);
    return Math.max(0, now - Math.max(dueAt, laneByteAt + usualGapMs));
  }

  /** The same, of its leases alone. */
  leaseLeftBytes(replica: ReplicaId): number {
    return this.leftOf(this.runningOf(replica));
  }

  /** Bytes that are leased on one stream of a replica. */
  leftInLane(replica: ReplicaId, lane: number): number {
    return this.leftOf(this.runningOf(replica).filter((one) => one.lease.lane === lane));
  }

  /** Bytes that are still to come of these. */
  leftOf(running: readonly Running[]): number {
    return running.reduce((left, { lease, gotBytes }) => {
      if (lease.next >= lease.end) return left;
      const { start, end } = bytesOf(this.#ledger.layout, { start: lease.next, end: lease.end });
      return left + Math.max(0, end - start - gotBytes);
    }, 0);
  }

  /** What runs in a replica's leases, oldest first. */
  runningOf(replica: ReplicaId): readonly Running[] {
    const found: Running[] = [];
    for (const { id } of this.#ledger.leasesOf(replica)) {
      const running = this.#running.get(id);
      if (running !== undefined) found.push(running);
    }
    return found;
  }
}

const laneOf = ({ replica, lane }: Lease) => `${lane} ${replica}`;
