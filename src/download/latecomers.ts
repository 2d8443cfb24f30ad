/**
 * Lets replicas take part in a transfer that answer after the verdict, when they claim what was
 * agreed on.
 */

import { limits } from "../limits.js";
import type { Vote } from "../trust/quorum.js";
import type { TransferJob } from "./transfer-job.js";

/** What somebody who joins needs to be let in by. */
type Door = Pick<
  TransferJob,
  "lateVotes" | "scheduler" | "support" | "roundTripsMs" | "onEvent" | "signal" | "clock"
>;

export class Latecomers {
  readonly #door: Door;
  readonly #begunAt: number;
  #unheard: number;

  constructor(door: Door) {
    this.#door = door;
    this.#begunAt = door.clock.now();
    this.#unheard = door.lateVotes.length;
  }

  /** Whether one that is still silent may answer soon: it may be the only honest one. */
  isAwaited(now: number): boolean {
    return this.#unheard > 0 && now - this.#begunAt < limits.surveyMs;
  }

  /** Calls `onJoined` after each that joins, and `onError` with what a listener throws. */
  welcome(onJoined: () => void, onError: (error: unknown) => void): void {
    for (const late of this.#door.lateVotes) {
      late.then((vote) => this.#heard(vote, onJoined)).catch(onError);
    }
  }

  #heard({ replica, answer }: Vote, onJoined: () => void): void {
    const { scheduler, support, roundTripsMs, onEvent, signal } = this.#door;
    this.#unheard--;
    const isMember = support.heard({ replica, answer });
    if (!isMember || scheduler.isDone || signal.aborted) return;
    // It joined before the disk was mended, and is asked again for the transfer that mends it.
    if (scheduler.scoreOf(replica) !== undefined) return;
    // What it took beyond this was hardly the way.
    const latencyMs = Math.min(roundTripsMs?.get(replica) ?? 0, limits.surveyGraceMs);
    scheduler.join(replica, latencyMs);
    onEvent({ event: "joined", replica });
    onJoined();
  }
}
