import assert from "node:assert/strict";
import { chooseHedge, hedgeBudget, type Straggler } from "../../src/schedule/hedge.js";
import { pieceIndex } from "../../src/schedule/pieces.js";
import { replicaId } from "../../src/trust/quorum.js";

const pieceBytes = 1000;

/**
 * A replica's piece in progress, with so many bytes left at so many a second, silent for so long.
 */
const s = (
  name: string,
  leftBytes: number,
  rate: number,
  silentMs = 0,
  delayMs = 0,
): Straggler => ({
  lease: {
    id: 1,
    replica: replicaId(name),
    lane: 0,
    start: pieceIndex(0),
    end: 1,
    next: 0,
    isHedge: false,
    isEarly: false,
  },
  delayMs,
  leftBytes,
  rate,
  silentMs,
});
const own = (rate: number | undefined, latencyMs = 0) => ({ rate, latencyMs });

describe("schedule/hedge", () => {
  const table: readonly (readonly [Straggler[], ReturnType<typeof own>, hedged: string])[] = [
    [[], own(1000), "none"],
    [[s("A", 1000, 1)], own(1000), "A"],
    [[s("A", 1000, 1000)], own(1000), "none"],
    [[s("A", 1000, 10), s("B", 1000, 1)], own(1000), "B"],
    [[s("A", 1000, 1), s("B", 1000, 10)], own(1000), "A"],
    [[s("A", 100, 10), s("B", 1000, 1000)], own(1000), "A"],
    [[s("A", 1, 1)], own(1000), "none"],
    // Own: 1 s. A needs more than 1.5 s and the 5 ms of a call.
    [[s("A", 1504, 1000)], own(1000), "none"],
    [[s("A", 1506, 1000)], own(1000), "A"],
    // The own latency is part of the time that it takes.
    [[s("A", 3000, 1000)], own(1000, 900), "A"],
    [[s("A", 3000, 1000)], own(1000, 1000), "none"],
    // Nor has a far one delivered before its latency is over.
    [[s("A", 1, 1000, 0, 1503)], own(1000), "none"],
    [[s("A", 1, 1000, 0, 1505)], own(1000), "A"],
    // Silent for 1.5 s means silent for 1.5 s more, whatever the rate was before.
    [[s("A", 1, 1_000_000, 1504)], own(1000), "none"],
    [[s("A", 1, 1_000_000, 1506)], own(1000), "A"],
    // While nobody's rate is known, silence of 200 ms beyond one and a half latencies tells.
    [[s("A", 1000, 1, 200)], own(undefined), "none"],
    [[s("A", 1000, 1, 201)], own(undefined), "A"],
    [[s("A", 1000, 1, 215), s("B", 1, 1, 210)], own(undefined, 10), "none"],
    [[s("A", 1000, 1, 216), s("B", 1, 1, 217)], own(undefined, 10), "B"],
    [[], own(undefined), "none"],
  ];
  for (const [stragglers, mine, hedged] of table) {
    const world = stragglers.map(
      ({ lease, leftBytes, rate, silentMs, delayMs }) =>
        `${lease.replica} ${leftBytes}/${rate} in ${delayMs} ms, silent ${silentMs} ms`,
    );
    const text = `${mine.rate ?? "an unknown rate"} after ${mine.latencyMs} ms`;
    it(`${world.join(", ") || "nobody"}, hedged at ${text}: ${hedged}`, () =>
      assert.equal(chooseHedge(stragglers, mine, pieceBytes)?.replica ?? "none", hedged));
  }

  it("the budget is 4 pieces or 2 % of the file, whichever is more", () => {
    const budgets: readonly (readonly [pieces: number, budget: number])[] = [
      [1, 4],
      [200, 4],
      [249, 4],
      [250, 5],
      [4096, 81],
    ];
    for (const [pieces, budget] of budgets) assert.equal(hedgeBudget(pieces), budget, `${pieces}`);
  });
});
