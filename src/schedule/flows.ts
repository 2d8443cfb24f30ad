/** Works out what flows from each replica, for those who decide on streams. */

import { byteCount } from "./pieces.js";
import type { Books } from "./regions.js";
import type { Flow } from "./streams.js";

/** What came from each replica, and what is to come. */
export function flowsOf(
  { ledger, scoreboard, forecast }: Omit<Books, "book">,
  now: number,
): Flow[] {
  const { layout, pool } = ledger;
  const scores = scoreboard.all();
  const rates = scores.map(({ replica }) => scoreboard.rate(replica, now));
  // What nobody has yet is everybody's.
  const poolMs = (byteCount(layout, pool) * 1000) / rates.reduce((sum, rate) => sum + rate, 0);
  return scores.map(({ replica, arrivedBytes: bytes, standing }) => ({
    replica,
    bytes,
    isGood: standing === "good",
    latencyMs: scoreboard.leastLatencyMs(replica),
    workMs: forecast.leftMs(replica, now) + poolMs,
    pieceMs: (layout.pieceBytes / scoreboard.rate(replica, now)) * 1000,
  }));
}
