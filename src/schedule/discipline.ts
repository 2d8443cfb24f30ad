/**
 * Decides what a replica's faults cost it: a wait, a suspension, a withdrawal, a ban. Who fetches
 * what is the scheduler's; this only says who may.
 */

import { limits } from "../limits.js";
import type { ReplicaId } from "../trust/quorum.js";
import { backoffMs, clampedRetryMs } from "./backoff.js";
import { Blame, type Charge } from "./blame.js";
import { consequenceOf, type Evidence, type Fault, faultText } from "./faults.js";
import type { LeaseBook } from "./lease-book.js";
import type { Lease, Ledger } from "./ledger.js";
import { isBeyondPatience, type Scoreboard } from "./scoreboard.js";

/** A replica that gets no more leases, and why. */
export interface Ban {
  readonly replica: ReplicaId;
  readonly why: string;
  /** What it rests on; `undefined` when the replica itself said that its data is lost. */
  readonly evidence: Evidence | undefined;
}

export class Discipline {
  readonly #ledger: Ledger;
  readonly #scoreboard: Scoreboard;
  readonly #book: LeaseBook;
  readonly #random: () => number;
  readonly #blame = new Blame();
  readonly #revoked: Lease[] = [];
  readonly #bans: Ban[] = [];

  /** `random`: uniform in [0, 1). */
  constructor(parts: {
    readonly ledger: Ledger;
    readonly scoreboard: Scoreboard;
    readonly book: LeaseBook;
    readonly random: () => number;
  }) {
    this.#ledger = parts.ledger;
    this.#scoreboard = parts.scoreboard;
    this.#book = parts.book;
    this.#random = parts.random;
  }

  /**
   * Draws the consequence of a fault. Whatever the replica was to deliver is wanted again.
   * `hasBrought`: whether the lease that it ended brought a verified piece.
   */
  faulted(replica: ReplicaId, fault: Fault, now: number, hasBrought = false): void {
    const score = this.#scoreboard.count(replica, fault);
    const consequence = consequenceOf(fault);
    const text = faultText(fault);
    this.#ledger.release(replica);
    switch (consequence.kind) {
      case "wait":
        this.#scoreboard.postpone(replica, now + clampedRetryMs(consequence.retryMs));
        return;
      case "withdraw":
        this.#scoreboard.withdraw(replica, text);
        return;
      case "ban":
        this.#ban(replica, consequence.evidence, text, now);
        return;
      case "accuse":
        this.#blame.charge(replica, consequence.piece, consequence.evidence);
        this.#scoreboard.suspend(replica, text, Number.POSITIVE_INFINITY);
        return;
      case "back-off": {
        // Each such lease has a piece less to bring, so there is an end to them without any wait.
        if (consequence.unlessBrought && hasBrought) return;
        // Two leases that broke for one reason are one fault in the row.
        if (score.standing !== "good" && score.notBefore > now) return;
        const faultsInARow = this.#scoreboard.countInARow(replica);
        if (isBeyondPatience(faultsInARow)) {
          const untilTriedMs = limits.breakerMs * (1 + this.#random());
          this.#scoreboard.withdraw(replica, text, now + untilTriedMs);
          return;
        }
        const waitMs = backoffMs(faultsInARow, this.#random());
        this.#scoreboard.suspend(replica, text, now + waitMs);
        return;
      }
      default:
        consequence satisfies never;
    }
  }

  /** The bans since this was last asked. */
  bans(): readonly Ban[] {
    return this.#bans.splice(0);
  }

  /** The leases that a ban closed since this was last asked. */
  revoked(): readonly Lease[] {
    return this.#revoked.splice(0);
  }

  /** A piece came right: its deliverer is redeemed, whoever delivered it wrong is banned. */
  delivered(replica: ReplicaId, piece: number, now: number): readonly Charge[] {
    const guilty = this.#blame.settle(piece, replica);
    for (const { replica: culprit, evidence } of guilty) {
      this.#ban(culprit, evidence, `served piece ${piece} corrupt`, now);
    }
    if (!this.#blame.isCharged(replica)) this.#scoreboard.redeem(replica);
    return guilty;
  }

  /**
   * When only charged replicas are left, they may try again; who fails the same piece too often is
   * guilty even though nobody else could show how it is right.
   */
  review(now: number): void {
    for (const { replica, evidence } of this.#blame.beyondDoubt()) {
      this.#ban(replica, evidence, `served piece ${evidence.piece} corrupt, again and again`, now);
    }
    const live = this.#scoreboard.all().filter((score) => !this.#scoreboard.isOut(score));
    if (live.some(({ replica }) => !this.#blame.isCharged(replica))) return;
    for (const { replica } of live) this.#scoreboard.readmit(replica, now);
  }

  #ban(
    replica: ReplicaId,
    evidence: Charge["evidence"] | undefined,
    why: string,
    now: number,
  ): void {
    this.#blame.drop(replica);
    this.#ledger.release(replica);
    for (const lease of this.#ledger.leasesOf(replica)) {
      this.#book.close(lease, now);
      this.#revoked.push(lease);
    }
    this.#scoreboard.ban(replica, evidence, why);
    this.#bans.push({ replica, evidence, why });
  }
}
