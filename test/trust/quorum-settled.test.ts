import assert from "node:assert/strict";
import { type Agreement, type Answer, decide, isSettled } from "../../src/trust/quorum.js";
import { type Rule, ruleText } from "../../src/trust/rule.js";
import {
  A,
  a,
  all,
  B,
  b,
  L,
  m,
  majority,
  n,
  pinned,
  s,
  verdictOf,
  votesOf,
  worldText,
  X,
} from "./quorum-world.js";

describe("trust/quorum isSettled", () => {
  const table: readonly (readonly [Rule, readonly Answer[], pending: number, boolean])[] = [
    [majority, [A, A], 1, true],
    [majority, [A, A, A], 1, true],
    [majority, [A, A, A, B], 1, true],
    [majority, [A, A, A], 2, true],
    [majority, [A], 2, false],
    [majority, [A, B], 1, false],
    [n(1), [A], 1, false],
    [n(1), [A, A], 1, true],
    [n(2), [A, A], 2, false],
    [n(2), [A, A, A, B], 1, true],
    [n(2), [A, A, A, B], 2, false],
    [all, [A, A], 1, false],
    [all, [A, A], 0, true],
    [majority, [], 0, true],
    [majority, [s, m], 0, true],
  ];
  for (const [rule, answers, pending, settled] of table) {
    const verdict = settled ? "settled" : "open";
    it(`${ruleText(rule)}: ${worldText(answers)} and ${pending} pending is ${verdict}`, () =>
      assert.equal(isSettled(votesOf(answers), pending, { rule }), settled));
  }

  /** Every world of up to four replicas, every prefix of it: a settled verdict is the final one. */
  function staysSettled(rule: Rule, letters: readonly Answer[]): void {
    for (const world of worldsOf(letters, 4)) {
      const final = verdictClaim(decide(votesOf(world), rule));
      for (let known = 0; known < world.length; known++) {
        const votes = votesOf(world.slice(0, known));
        const pending = world.length - known;
        if (!isSettled(votes, pending, { rule })) continue;
        const silent: Answer[] = Array.from({ length: pending }, () => s);
        const early = verdictClaim(decide(votesOf([...world.slice(0, known), ...silent]), rule));
        assert.equal(final, early, `${worldText(world)}, settled after ${known}`);
      }
    }
  }

  const verdictClaim = (agreement: Agreement) => verdictOf(agreement).split(" ")[0];

  for (const rule of [majority, all, n(1), n(2), n(3)]) {
    const text = ruleText(rule);
    it(`${text}: no late answer changes a settled verdict, when all give pieces`, () =>
      staysSettled(rule, [A, B, X, L, m, s]));
    it(`${text}: no late answer changes a settled verdict, when some give no pieces`, () =>
      staysSettled(rule, [A, B, X, a, b, s]));
  }
  it("a pinned digest: no late answer changes a settled verdict", () =>
    staysSettled(pinned, [A, B, X, L, a, s]));
});

function worldsOf(letters: readonly Answer[], replicas: number): (readonly Answer[])[] {
  let worlds: (readonly Answer[])[] = [[]];
  for (let count = 0; count < replicas; count++) {
    worlds = worlds.flatMap((world) => letters.map((letter) => [...world, letter]));
  }
  return worlds;
}
