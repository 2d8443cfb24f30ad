import assert from "node:assert/strict";
import { Patience } from "../../src/download/give-up.js";

/** Looks at these times; what is reached then, and what else is to be said of it. */
type Look = readonly [now: number, reachedBytes: number, more?: "ours" | { stoodStillMs: number }];

function stuckAfter(...looks: readonly Look[]): number {
  const patience = new Patience(100, 0);
  let stuckMs = 0;
  for (const [now, reachedBytes, more] of looks) {
    const isOurs = more === "ours";
    const stoodStillMs = typeof more === "object" ? more.stoodStillMs : 0;
    stuckMs = patience.stuckMs({ reachedBytes, isOurs, stoodStillMs }, now);
  }
  return stuckMs;
}

describe("the patience of a transfer", () => {
  const table: readonly (readonly [what: string, looks: readonly Look[], stuckMs: number])[] = [
    ["counts from the beginning", [[500, 100]], 500],
    [
      "begins anew with bytes of a piece in progress",
      [
        [500, 101],
        [700, 101],
      ],
      200,
    ],
    [
      "not with bytes that an attempt before had already",
      [
        [500, 150],
        [600, 100],
        [900, 150],
      ],
      400,
    ],
    [
      "counts nothing while we hold bytes back",
      [
        [500, 100, "ours"],
        [800, 100],
      ],
      300,
    ],
    ["nor what we stood still for", [[5000, 100, { stoodStillMs: 4500 }]], 500],
  ];
  for (const [what, looks, stuckMs] of table) {
    it(what, () => assert.equal(stuckAfter(...looks), stuckMs));
  }

  it("begins anew with a settled piece", () => {
    const patience = new Patience(0, 0);
    patience.progressed(900);
    const idle = { reachedBytes: 0, isOurs: false, stoodStillMs: 0 };
    assert.equal(patience.stuckMs(idle, 1000), 100);
  });
});
