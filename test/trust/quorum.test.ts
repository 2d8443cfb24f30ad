import assert from "node:assert/strict";
import type { Claim } from "../../src/trust/manifest.js";
import { type Answer, decide, fits, joins } from "../../src/trust/quorum.js";
import { type Rule, ruleText } from "../../src/trust/rule.js";
import {
  A,
  a,
  all,
  B,
  b,
  C,
  claims,
  d,
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

type Case = readonly [rule: Rule, answers: readonly Answer[], verdict: string];

function holds(cases: readonly Case[]): void {
  for (const [rule, answers, verdict] of cases) {
    it(`${ruleText(rule).slice(0, 8)} of ${worldText(answers)}: ${verdict}`, () =>
      assert.equal(verdictOf(decide(votesOf(answers), rule)), verdict));
  }
}

describe("trust/quorum", () => {
  describe("a majority is more than half of all configured replicas", () => {
    holds([
      [majority, [], "too-few"],
      [majority, [A], "A by 1"],
      [majority, [A, A], "A by 12"],
      [majority, [A, B], "too-few"],
      [majority, [A, A, B], "A by 12 against 3"],
      [majority, [B, A, A], "A by 23 against 1"],
      [majority, [A, B, C], "too-few"],
      [majority, [A, A, B, B], "too-few"],
      [majority, [A, A, A, B], "A by 123 against 4"],
      [majority, [A, B, A, B, A], "A by 135 against 24"],
      [majority, [A, L, A], "A by 13 against 2"],
      [majority, [A, X, A], "A by 13 against 2"],
    ]);
  });

  describe("silence and absence count in the denominator", () => {
    holds([
      [majority, [A, s], "too-few"],
      [majority, [A, A, s], "A by 12"],
      [majority, [A, s, s], "too-few"],
      [majority, [A, A, s, s], "too-few"],
      [majority, [A, A, A, s, s], "A by 123"],
      [majority, [A, A, m, m], "too-few"],
      [majority, [A, A, m, s, s], "too-few"],
      [majority, [A, A, A, m, s], "A by 123"],
      [all, [A, A, s], "too-few"],
      [all, [A, A, m], "too-few"],
    ]);
  });

  describe("missing is said when most say so, and nobody claims", () => {
    holds([
      [majority, [m], "missing"],
      [majority, [m, m], "missing"],
      [majority, [m, s], "too-few"],
      [majority, [m, m, s], "missing"],
      [majority, [m, s, s], "too-few"],
      [majority, [s, s], "too-few"],
      [majority, [m, m, A], "too-few"],
      [n(1), [m, m, s], "missing"],
      [n(1), [m, m, A], "A by 3"],
      [all, [m, m], "missing"],
      [pinned, [m, m], "missing"],
      [pinned, [m, m, B], "too-few"],
      [pinned, [m, m, A], "A? by 3"],
    ]);
  });

  describe("with N, the largest group of at least N wins, and a tie never does", () => {
    holds([
      [n(1), [A], "A by 1"],
      [n(1), [A, s, s, s], "A by 1"],
      [n(1), [A, B], "tie"],
      [n(1), [A, A, B], "A by 12 against 3"],
      [n(1), [A, B, C], "tie"],
      [n(2), [A, B], "too-few"],
      [n(2), [A, A, B, s, s], "A by 12 against 3"],
      [n(2), [A, A, B, B], "tie"],
      [n(2), [A, A, B, B, B], "B by 345 against 12"],
      [n(2), [A, A, B, B, C, C], "tie"],
      [n(3), [A, A, B, B, B], "B by 345 against 12"],
      [n(3), [A, A], "too-few"],
      [n(4), [A, A, A], "too-few"],
    ]);
  });

  describe("all means every configured replica", () => {
    holds([
      [all, [], "too-few"],
      [all, [A], "A by 1"],
      [all, [A, A, A], "A by 123"],
      [all, [A, A, B], "too-few"],
      [all, [A, A, X], "A? by 123"],
      [all, [A, a, A], "A? by 123"],
    ]);
  });

  describe("a pinned digest beats any vote", () => {
    holds([
      [pinned, [], "too-few"],
      [pinned, [A], "A? by 1"],
      [pinned, [B, B, B, A], "A? by 4 against 123"],
      [pinned, [B, B, B], "too-few"],
      [pinned, [A, s, s, s], "A? by 1"],
      [pinned, [a, B], "a by 1 against 2"],
      [pinned, [A, A, X], "A? by 123"],
      [pinned, [A, X], "a by 12"],
      [pinned, [A, X, a, B], "a by 123 against 4"],
      [pinned, [A, L], "tie"],
      [pinned, [A, A, L], "A? by 12 against 3"],
    ]);
  });

  describe("claims of the same bytes count together; a root that few name is doubtful", () => {
    holds([
      [majority, [A, X], "a by 12"],
      [majority, [A, X, B], "a by 12 against 3"],
      [majority, [A, A, X, X, B], "a by 1234 against 5"],
      [majority, [A, A, X, B, s], "A? by 123 against 4"],
      [majority, [A, A, A, X, s], "A by 123 against 4"],
      [majority, [X, a, a], "X? by 123"],
      [majority, [A, X, s, s], "too-few"],
      [n(2), [A, X], "a by 12"],
      [n(2), [A, A, X, B], "A by 12 against 34"],
      [n(2), [A, X, B, B], "tie"],
    ]);

    it("once a root was tried in vain, the rest of the claim still counts", () => {
      const table: readonly (readonly [Rule, readonly Answer[], verdict: string])[] = [
        [pinned, [A, A, X], "X? by 123"],
        [majority, [A, A, B], "a by 12 against 3"],
        [majority, [A, X, a], "X? by 123"],
      ];
      for (const [rule, answers, verdict] of table) {
        assert.equal(verdictOf(decide(votesOf(answers), rule, [claims.A])), verdict);
      }
    });

    it("a doubtful root keeps no later claim of the same bytes out, a firm one does", () => {
      const doubtful = decide(votesOf([A, a, B]), majority);
      const firm = decide(votesOf([A, A, B]), majority);
      assert.ok(doubtful.reached && firm.reached);
      assert.deepEqual([joins(claims.X, doubtful), joins(claims.B, doubtful)], [true, false]);
      assert.deepEqual([joins(claims.X, firm), joins(claims.a, firm)], [false, true]);
    });
  });

  describe("a replica without pieces joins every group that it fits", () => {
    holds([
      [majority, [a], "a by 1"],
      [majority, [a, a, B], "a by 12 against 3"],
      [majority, [A, a, B], "A? by 12 against 3"],
      [majority, [a, B, A], "A? by 13 against 2"],
      [majority, [A, b], "too-few"],
      [majority, [A, a, b], "A? by 12 against 3"],
      [majority, [A, X, a], "a by 123"],
      [majority, [A, A, X, a], "A? by 1234"],
      [majority, [A, X, s], "a by 12"],
      // By the word of one alone nobody else is judged.
      [n(1), [A, B, a], "A? by 13 against 2"],
      [n(1), [A, a], "A? by 12"],
      [n(1), [A, A, a], "A by 123"],
      [n(1), [A, a, B, b], "tie"],
      [n(2), [A, b, B], "B? by 23 against 1"],
    ]);
  });

  it("every group is reported, the largest first, each vote in the order of configuration", () => {
    const votes = votesOf([A, B, B, s, m]);
    const agreement = decide(votes, pinned);
    assert.deepEqual(agreement.votes, votes);
    assert.deepEqual(
      agreement.groups.map(({ claim, members }) => [claim.digest, members.join("")]),
      [
        [d("b"), "23"],
        [d("a"), "1"],
      ],
    );
  });

  it("a manifest carries the piece size that follows from the size agreed on", () => {
    const agreement = decide(votesOf([A, A, B]), majority);
    assert.ok(agreement.reached);
    assert.deepEqual(agreement.manifest, { ...claims.A, pieceBytes: 65536, pieceCount: 1 });
  });

  it("a later claim fits when it is equal, or gives no pieces", () => {
    const table: readonly (readonly [later: Claim, agreed: Claim, fits: boolean])[] = [
      [claims.A, claims.A, true],
      [claims.a, claims.A, true],
      [claims.A, claims.a, true],
      [claims.a, claims.a, true],
      [claims.X, claims.A, false],
      [claims.X, claims.a, true],
      [claims.L, claims.A, false],
      [claims.B, claims.A, false],
      [claims.b, claims.A, false],
    ];
    for (const [later, agreed, fit] of table) assert.equal(fits(later, agreed), fit);
  });
});
