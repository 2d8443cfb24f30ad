/** Decides which piece in progress is fetched a second time when there is nothing left to cut. */

import { limits } from "../limits.js";
import type { Lease } from "./ledger.js";

/** A piece in progress elsewhere. */
export interface Straggler {
  readonly lease: Lease;
  /** Milliseconds before its first byte can come. */
  readonly delayMs: number;
  /** Bytes of the piece that are still to come. */
  readonly leftBytes: number;
  /** Bytes per second, as of now. */
  readonly rate: number;
  /** Milliseconds since its last byte. */
  readonly silentMs: number;
}

/** The replica that has nothing to do. */
export interface Hedger {
  /** Bytes per second; `undefined` while nobody's is known. */
  readonly rate: number | undefined;
  readonly latencyMs: number;
}

/** The slowest straggler that this replica would clearly beat, or `undefined`. */
export function chooseHedge(
  stragglers: readonly Straggler[],
  own: Hedger,
  pieceBytes: number,
): Lease | undefined {
  if (own.rate === undefined) return chooseBlindly(stragglers, own);
  const [slowest] = [...stragglers].sort((left, right) => secondsLeft(right) - secondsLeft(left));
  if (slowest === undefined) return undefined;
  const mineSeconds = own.latencyMs / 1000 + pieceBytes / own.rate;
  const isSooner =
    secondsLeft(slowest) > limits.hedgeMultiple * mineSeconds + limits.freeGainMs / 1000;
  return isSooner ? slowest.lease : undefined;
}

/** Until a piece is there: whoever has been silent for so long will be about as long again. */
export function secondsLeft({ delayMs, leftBytes, rate, silentMs }: Straggler): number {
  return Math.max(delayMs / 1000 + leftBytes / rate, silentMs / 1000);
}

/**
 * In a file of a few pieces a stall may come before anybody has delivered: rates say nothing then,
 * but silence does.
 */
function chooseBlindly(stragglers: readonly Straggler[], own: Hedger): Lease | undefined {
  const [quietest] = [...stragglers].sort((left, right) => right.silentMs - left.silentMs);
  if (quietest === undefined) return undefined;
  const isOverdue = quietest.silentMs > limits.blindHedgeMs + limits.hedgeMultiple * own.latencyMs;
  return isOverdue ? quietest.lease : undefined;
}

/** How many pieces may be hedged in one download. */
export function hedgeBudget(pieceCount: number): number {
  return Math.max(limits.hedgePieces, Math.floor(pieceCount * limits.hedgeShare));
}
