import assert from "node:assert/strict";
import { isForegroundStat } from "../../src/files/foreground.js";

describe("the foreground of a terminal", () => {
  const cases: readonly (readonly [is: string, stat: string, isThere: boolean])[] = [
    ["the group that has it", "77 (node) R 1 77 70 34816 77 4194304 0", true],
    ["another group than the one that has it", "77 (node) R 1 77 70 34816 70 4194304 0", false],
    ["a process without a terminal", "77 (node) R 1 77 70 0 -1 4194304 0", true],
    ["a program with a name to trip over", "77 (a) 9 (b c) R 1 77 70 34816 70 4194304 0", false],
    ["a text that says nothing", "", true],
  ];
  for (const [is, stat, isThere] of cases) {
    it(`${isThere ? "has" : "has not"} ${is}`, () => {
      assert.equal(isForegroundStat(stat), isThere);
    });
  }
});
