/** Whose word about prefixes counts: as many as the rule asks for, beside a root beyond doubt. */

import assert from "node:assert/strict";
import { type Answer, decide, isSettled } from "../../src/trust/quorum.js";
import { type Rule, ruleText } from "../../src/trust/rule.js";
import {
  A,
  a,
  all,
  B,
  claims,
  d,
  majority,
  n,
  P,
  pinned,
  Q,
  s,
  verdictOf,
  votesOf,
  X,
} from "./quorum-world.js";

/** X, which is another root, with prefixes. */
const XP: Answer = {
  kind: "claimed",
  claim: { ...claims.X, prefixRoot: d("prefixes of a") },
};

const letters = new Map(
  Object.entries({ A, a, B, P, Q, s, X, XP }).map(([name, of]) => [of, name]),
);
const names = new Map([
  [d("prefixes of a"), "P"],
  [d("other prefixes"), "Q"],
]);

describe("trust/quorum prefix root", () => {
  const table: readonly (readonly [Rule, readonly Answer[], prefixes: string | undefined])[] = [
    [majority, [P], "P"],
    [majority, [P, P, P], "P"],
    [majority, [P, P, A], "P"],
    [majority, [A, P, P], "P"],
    [majority, [P, P, Q], "P"],
    [majority, [P, P, B], "P"],
    [majority, [P, P, s], "P"],
    [majority, [A, A, A], undefined],
    // Enough name the root, and too few of them the prefixes.
    [majority, [P, A, A], undefined],
    [majority, [P, Q, A], undefined],
    [majority, [P, P, Q, Q, A], undefined],
    [majority, [P, P, A, A, B], undefined],
    [majority, [P, P, Q, A, A], undefined],
    [all, [P, P], "P"],
    [all, [P, P, Q], undefined],
    [all, [P, P, A], undefined],
    // The word of one alone counts where nobody else says anything.
    [n(1), [P], "P"],
    [n(1), [P, s, s], "P"],
    [n(1), [P, A], undefined],
    [n(1), [P, P, Q], "P"],
    [n(1), [P, Q], undefined],
    [n(2), [P, P, Q, Q], undefined],
    [n(2), [P, P, Q, Q, Q], "Q"],
    // The root is in doubt, or there is none.
    [pinned, [P, P, P], undefined],
    [majority, [P, a, a], undefined],
    [majority, [P, P, X, s], undefined],
    [majority, [P, P, X, X, s], undefined],
    [majority, [P, P, XP, B, s], undefined],
    [majority, [a, a, a], undefined],
    // Another root's word about prefixes is none about these.
    [majority, [P, A, XP], undefined],
    [n(2), [P, A, A, XP], undefined],
  ];
  for (const [rule, answers, prefixes] of table) {
    const text = answers.map((answer) => letters.get(answer) ?? "?").join(" ");
    it(`${ruleText(rule).slice(0, 8)} of ${text}: ${prefixes ?? "none"}`, () => {
      const agreement = decide(votesOf(answers), rule);
      assert.ok(agreement.reached);
      const { prefixRoot } = agreement;
      assert.equal(prefixRoot && names.get(prefixRoot), prefixes);
    });
  }

  it("changes nothing else: whoever names another agrees, and nobody waits for it", () => {
    const plain = new Map([
      [P, A],
      [Q, A],
      [XP, X],
    ]);
    for (const [rule, answers] of table) {
      const without = answers.map((answer) => plain.get(answer) ?? answer);
      const [with_, bare] = [answers, without].map((each) => decide(votesOf(each), rule));
      assert.ok(with_ !== undefined && bare !== undefined);
      assert.equal(verdictOf(with_), verdictOf(bare));
      for (const pending of [0, 1, 2]) {
        const settled = isSettled(votesOf(answers), pending, { rule });
        assert.equal(settled, isSettled(votesOf(without), pending, { rule }));
      }
    }
  });

  it("is no part of the manifest", () => {
    const agreement = decide(votesOf([P, P]), majority);
    assert.ok(agreement.reached);
    assert.equal("prefixRoot" in agreement.manifest, false);
  });
});
