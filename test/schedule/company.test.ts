/** What one more replica costs that is silent or slow: next to nothing, however far the rest. */

import assert from "node:assert/strict";
import { A, B, failed, leaseOf, piece, text, unreachable, w } from "./by-hand.js";
import { at, pieceBytes, type Server, SmallWorld } from "./small-world.js";

const far = (pieces: number) => at(pieces, { latencyMs: 200 });
const silentFrom = (pieces: number, from: number): Server =>
  at(pieces, { rate: (now) => (now < from ? pieces * pieceBytes : 0) });

describe("one more replica", () => {
  const crew = { A: far(100), B: far(100) };
  const table: readonly (readonly [what: string, Z: Server, pieces: number, ms: number])[] = [
    ["silent from the start", silentFrom(100, 0), 300, 20],
    ["silent from the start", silentFrom(100, 0), 700, 20],
    ["silent later on", silentFrom(20, 600), 400, 60],
    ["silent, and found to be so near the end", silentFrom(100, 0), 320, 20],
    ["silent, and found to be so near the end", silentFrom(100, 0), 340, 20],
    ["silent from the middle on", silentFrom(50, 900), 400, 60],
    ["silent from the middle on", silentFrom(50, 900), 500, 60],
  ];
  for (const [what, Z, pieces, ms] of table) {
    it(`${what}: ${pieces} pieces take ${ms} ms more at most`, () => {
      const alone = new SmallWorld(pieces, crew).run(60_000);
      const world = new SmallWorld(pieces, { ...crew, Z }).run(60_000);
      assert.ok(world.now <= alone.now + ms, `${world.now} ms, without it ${alone.now}`);
    });
  }

  for (const [pieces, tried] of [
    [60, false],
    [400, true],
  ] as const) {
    it(`that failed is ${tried ? "" : "not "}tried again on another's work of ${pieces} pieces`, () => {
      const scheduler = w(pieces, "AB");
      scheduler.decide(0);
      failed(scheduler, B, unreachable, 0);
      for (let now = 3; now <= 105; now += 3) {
        piece(scheduler, leaseOf(scheduler, A), now);
        if (leaseOf(scheduler, A).next === leaseOf(scheduler, A).end) {
          scheduler.ended(leaseOf(scheduler, A), undefined, now);
        }
        scheduler.decide(now);
      }
      assert.equal(/B/.test(text(scheduler.decide(400))), tried);
    });
  }

  it("that was silent when its piece came from elsewhere is expected to be so again", () => {
    const scheduler = w(300, "AB");
    const { scoreboard } = scheduler;
    scheduler.decide(0);
    const lease = leaseOf(scheduler, B);
    for (let now = 10; now <= 100; now += 10) {
      scheduler.arrived(lease, pieceBytes / 20, now);
      scheduler.awaiting(lease, now);
    }
    scheduler.ended(lease, undefined, 600);
    assert.equal(scoreboard.latencyMs(B), 10);
    // Since the last byte, less the usual gap.
    assert.ok(Math.abs(scoreboard.awaitMs(B) - 490) < 2, `${scoreboard.awaitMs(B)} ms`);
    scheduler.decide(600);
    scheduler.arrived(leaseOf(scheduler, B), pieceBytes, 620);
    assert.equal(scoreboard.awaitMs(B), scoreboard.latencyMs(B));
  });
});
