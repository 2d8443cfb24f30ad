import assert from "node:assert/strict";
import { rowsOf } from "../../src/cli/live-view.js";

describe("the rows that lines take", () => {
  const cases: readonly (readonly [lines: readonly string[], columns: number, rows: number])[] = [
    [[], 10, 0],
    [[""], 10, 1],
    [["a", "b"], 10, 2],
    [["1234567890"], 10, 1],
    [["12345678901", "1"], 10, 3],
    [["x".repeat(100), "x".repeat(45)], 40, 5],
    [["日本語"], 4, 2],
  ];
  for (const [lines, columns, rows] of cases) {
    it(`${JSON.stringify(lines)} in ${columns} columns take ${rows}`, () => {
      assert.equal(rowsOf(lines, columns), rows);
    });
  }
});
