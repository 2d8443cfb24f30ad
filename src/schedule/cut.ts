/** Decides whose tail a replica that runs dry takes over, and how much of it. */

import { limits } from "../limits.js";
import type { ReplicaId } from "../trust/quorum.js";
import { levelMs } from "./level.js";

/** A replica that still has something to deliver. */
export interface Victim {
  readonly replica: ReplicaId;
  /** Milliseconds before its next byte can come. */
  readonly delayMs: number;
  /** Milliseconds before the first byte of anything more could. */
  readonly latencyMs: number;
  /** Bytes that it still is to deliver, the piece in progress included. */
  readonly leftBytes: number;
  /** Bytes per second. */
  readonly rate: number;
  /** Pieces that may be taken. */
  readonly cuttable: number;
  /** Whether bytes of what may be taken are on their way: then taking them wastes some. */
  readonly isSending: boolean;
}

/** The replica that runs dry. */
export interface Cutter {
  readonly rate: number;
  /** Milliseconds before its first byte comes. */
  readonly latencyMs: number;
  /** Milliseconds of work that it still has. */
  readonly busyMs: number;
}

/** So many pieces from the end of this replica's work. */
export interface Cut {
  readonly replica: ReplicaId;
  readonly pieces: number;
  /** As many as it would not have delivered by the end that all can reach together, or more. */
  readonly beyondEnd: number;
}

/**
 * Takes from the replica with the worst time left so many pieces that both end together: x =
 * (left_v − delay_i) · rate_i · rate_v / (rate_i + rate_v) bytes, left_v in seconds. `undefined`
 * when no cut brings the end nearer by as much as it costs.
 */
export function chooseCut(
  victims: readonly Victim[],
  cutter: Cutter,
  pieceBytes: number,
): Cut | undefined {
  const worst = worstOf(victims);
  if (worst === undefined) return undefined;
  const delaySeconds = (cutter.latencyMs + cutter.busyMs) / 1000;
  const leastGainMs = worst.isSending ? limits.cutGainMs : limits.freeGainMs;
  // Many look for work in vain: a single piece tells whether there is anything to gain.
  const soonestSeconds = delaySeconds + pieceBytes / cutter.rate;
  if ((timeLeft(worst) - soonestSeconds) * 1000 <= leastGainMs) return undefined;
  const shared = (cutter.rate * worst.rate) / (cutter.rate + worst.rate);
  const endSeconds = evenEndSeconds(victims, cutter);
  const mostSeconds = limits.cutEndMultiple * endSeconds;
  const idealBytes = Math.min(
    (timeLeft(worst) - delaySeconds) * shared,
    (mostSeconds - delaySeconds) * cutter.rate,
  );
  // Nor even one piece, if somebody else would clearly have it sooner.
  const othersSeconds = limits.cutEndMultiple * othersPieceSeconds(victims, pieceBytes);
  if (soonestSeconds > Math.max(mostSeconds, othersSeconds)) return undefined;
  // Rounded to the nearest piece; a whole piece that ends sooner here than there is worth taking,
  // too.
  const pieces = Math.min(worst.cuttable, Math.max(1, Math.round(idealBytes / pieceBytes)));
  const takenBytes = pieces * pieceBytes;
  const mineSeconds = delaySeconds + takenBytes / cutter.rate;
  const theirsSeconds = timeLeft({
    ...worst,
    leftBytes: Math.max(0, worst.leftBytes - takenBytes),
  });
  const gainMs = (timeLeft(worst) - Math.max(mineSeconds, theirsSeconds)) * 1000;
  const beyond = Math.round(((timeLeft(worst) - endSeconds) * worst.rate) / pieceBytes);
  const beyondEnd = Math.min(worst.cuttable, Math.max(pieces, beyond));
  return gainMs > leastGainMs ? { replica: worst.replica, pieces, beyondEnd } : undefined;
}

/** Who has the worst time left of those of whom anything can be taken. */
function worstOf(victims: readonly Victim[]): Victim | undefined {
  let worst: Victim | undefined;
  let most = Number.NEGATIVE_INFINITY;
  for (const victim of victims) {
    if (victim.cuttable <= 0 || timeLeft(victim) <= most) continue;
    worst = victim;
    most = timeLeft(victim);
  }
  return worst;
}

/** Seconds. */
function timeLeft({ delayMs, leftBytes, rate }: Victim): number {
  return delayMs / 1000 + leftBytes / rate;
}

/** When it could begin with anything more: who is done sooner than that waits for it. */
function freeSeconds(victim: Victim): number {
  return Math.max(timeLeft(victim), victim.latencyMs / 1000);
}

/** When the first of the others would have delivered one more piece after what it has. */
function othersPieceSeconds(victims: readonly Victim[], pieceBytes: number): number {
  const ends = victims.map((victim) => freeSeconds(victim) + pieceBytes / victim.rate);
  return Math.min(...ends);
}

/** When all would be done if everybody took its part of everything. */
function evenEndSeconds(victims: readonly Victim[], cutter: Cutter): number {
  const bytes = victims.reduce((sum, { leftBytes }) => sum + leftBytes, 0);
  const others = victims.map((victim) => {
    const waitSeconds = freeSeconds(victim) - timeLeft(victim);
    return { rate: victim.rate, busyMs: victim.delayMs + 1000 * waitSeconds };
  });
  const own = { rate: cutter.rate, busyMs: cutter.latencyMs + cutter.busyMs };
  return levelMs(bytes, [own, ...others]) / 1000;
}
