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
  const scores = scheduler.scoreboard.all();
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
