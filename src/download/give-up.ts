/** Decides when a transfer is over without its file, and says why. */

import { IntegrityError, OutOfReplicasError } from "../errors.js";
import type { Scheduler } from "../schedule/scheduler.js";
import type { Score } from "../schedule/score.js";

/** What it is judged by. */
export interface Standstill {
  readonly name: string;
  readonly scheduler: Scheduler;
  /** Milliseconds since anybody last sent a byte. */
  readonly stuckMs: number;
  /** How long that may last. */
  readonly timeoutMs: number;
}

/**
 * The error that ends the transfer now, or `undefined` while there is hope. Replicas that cannot be
 * reached may come back, so they are waited for; those whose file changed, or that are banned, are
 * not.
 */
export function giveUp({ name, scheduler, stuckMs, timeoutMs }: Standstill): Error | undefined {
  if (!scheduler.isHopeless && stuckMs < timeoutMs) return undefined;
  const scores = scheduler.scores;
  const why = scores.map((score) => `${score.replica} ${standingText(score)}`).join("; ");
  if (scheduler.isHopeless && scores.every(({ standing }) => standing === "banned")) {
    const what = "no replica serves what the quorum agreed on";
    return new IntegrityError(`get ${name}: ${what} (${why}); nothing was published`);
  }
  const hasChanged = scores.some((score) => score.faults.has("changed"));
  const advice = hasChanged
    ? "the file has changed: run it again to get what is there now"
    : "run it again to resume";
  const cause = scheduler.isHopeless
    ? "no replica is left"
    : `no byte for ${Math.round(stuckMs / 1000)} s`;
  const end = `${cause} (${why}); ${advice}`;
  return new OutOfReplicasError(`get ${name}: not all chunks are downloaded: ${end}`);
}

function standingText({ standing, reason, lastByteAt }: Score): string {
  if (reason !== undefined) return reason;
  return lastByteAt === undefined ? "sent nothing" : standing;
}

/** What a transfer shows of itself whenever it is asked how long it has been stuck. */
export interface Progress {
  /** Verified and written bytes, and those of a piece in progress. */
  readonly reachedBytes: number;
  /** Whether it is we who hold bytes back, or do not take them. */
  readonly isOurs: boolean;
  /** Milliseconds for which we ourselves stood still since it was last asked. */
  readonly stoodStillMs: number;
}

/** Counts how long nobody got a transfer any further. */
export class Patience {
  #furthestBytes: number;
  #progressAt: number;

  /** `doneBytes`: what is there at the beginning. */
  constructor(doneBytes: number, now: number) {
    this.#furthestBytes = doneBytes;
    this.#progressAt = now;
  }

  /** A piece was settled for the first time. */
  progressed(now: number): void {
    this.#progressAt = now;
  }

  /**
   * Milliseconds without progress. Bytes of a piece in progress count as long as they get further
   * than any attempt before: a piece may take minutes on a slow link, and a replica that always
   * breaks off half way gets nowhere. What we stood still for, or hold back ourselves, is nobody's
   * delay.
   */
  stuckMs({ reachedBytes, isOurs, stoodStillMs }: Progress, now: number): number {
    this.#progressAt = isOurs ? now : this.#progressAt + stoodStillMs;
    if (reachedBytes > this.#furthestBytes) {
      this.#furthestBytes = reachedBytes;
      this.#progressAt = now;
    }
    return now - this.#progressAt;
  }
}
