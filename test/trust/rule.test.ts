import assert from "node:assert/strict";
import { neededBy, parseRule, ruleText } from "../../src/trust/rule.js";
import { all, majority, n, pinned } from "./quorum-world.js";

describe("a rule", () => {
  it("asks for so many of the configured replicas", () => {
    const table = [1, 2, 2, 3, 3, 4, 4, 5];
    for (const [index, needed] of table.entries()) {
      assert.equal(neededBy(majority, index + 1), needed, `${index + 1} replicas`);
    }
    assert.deepEqual([neededBy(n(7), 3), neededBy(all, 3), neededBy(pinned, 3)], [7, 3, 1]);
  });

  it("is read as it is written", () => {
    for (const rule of [majority, all, pinned, n(1), n(42), n(9999)]) {
      assert.deepEqual(parseRule(ruleText(rule)), rule);
    }
    const upper = pinned.kind === "digest" ? pinned.digest.toUpperCase() : "";
    assert.deepEqual(parseRule(upper), pinned);
    for (const text of [
      "",
      "0",
      "01",
      "-1",
      "1.5",
      "10000",
      "1e3",
      " 1",
      "Majority",
      "sha256:ab",
    ]) {
      assert.equal(parseRule(text), undefined, JSON.stringify(text));
    }
  });
});
