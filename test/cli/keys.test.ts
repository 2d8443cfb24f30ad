import assert from "node:assert/strict";
import { NumberReader } from "../../src/cli/keys.js";

/** What the reader makes of keys: the numbers that they complete, in order. */
function typed(highest: number, keys: string): number[] {
  const reader = new NumberReader(highest);
  return [...keys].flatMap((key) => reader.press(key).number ?? []);
}

describe("numbers typed", () => {
  const cases: readonly (readonly [highest: number, keys: string, numbers: readonly number[]])[] = [
    // Below ten servers, one digit says it all.
    [1, "1", [1]],
    [4, "1", [1]],
    [4, "4321", [4, 3, 2, 1]],
    [4, "5", []],
    [4, "52", [2]],
    [4, "1\r", [1]],
    [4, "\r\n", []],
    [9, "9", [9]],
    [9, "1\n2\r", [1, 2]],
    [9, "0\r", []],
    [9, "02", [2]],
    // With ten, a 1 may go on.
    [10, "1", []],
    [10, "1\r", [1]],
    [10, "1\n", [1]],
    [10, "10", [10]],
    [10, "2", [2]],
    [10, "11", []],
    [10, "112", [2]],
    [10, "0\r", []],
    [10, "01\r", [1]],
    [12, "12", [12]],
    [12, "13", []],
    [12, "1x2", [2]],
    [12, "1 2", [2]],
    [12, "1\u007f1\r", [1]],
    [12, "9", [9]],
    [12, "1011", [10, 11]],
    [12, "1\r12", [1, 12]],
    [123, "12\r", [12]],
    [123, "123", [123]],
    [123, "13", [13]],
    [0, "1\r", []],
  ];
  for (const [highest, keys, numbers] of cases) {
    it(`${JSON.stringify(keys)} among ${highest} servers is ${JSON.stringify(numbers)}`, () => {
      assert.deepEqual(typed(highest, keys), numbers);
    });
  }

  // A terminal sends `Delete` as ESC [ 3 ~: its 3 would stop server 3.
  const specials: readonly (readonly [key: string, sent: string])[] = [
    ["arrow up", "\u001b[A"],
    ["Home", "\u001b[1~"],
    ["Insert", "\u001b[2~"],
    ["Delete", "\u001b[3~"],
    ["Page Up", "\u001b[5~"],
    ["F5", "\u001b[15~"],
    ["F1", "\u001bOP"],
    ["Ctrl and arrow up", "\u001b[1;5A"],
  ];
  for (const [key, sent] of specials) {
    it(`${key} is no number, and what is typed after it is one`, () => {
      assert.deepEqual(typed(9, sent), []);
      assert.deepEqual(typed(9, `${sent}2`), [2]);
    });
  }
  it("a number typed after Escape alone is one", () => {
    assert.deepEqual(typed(4, "\u001b2"), [2]);
  });

  const problems: readonly (readonly [highest: number, keys: string, problem: string])[] = [
    [4, "9", "(there is no server 9)"],
    [4, "9\r", "(there is no server 9)"],
    [12, "13", "(there is no server 13)"],
    [12, "0\r", "(there is no server 0)"],
  ];
  for (const [highest, keys, problem] of problems) {
    it(`${JSON.stringify(keys)} among ${highest} servers is answered`, () => {
      const reader = new NumberReader(highest);
      assert.equal([...keys].map((key) => reader.press(key).problem).at(-1), problem);
    });
  }

  it("what was typed so far can be shown, and goes once it is a number", () => {
    const reader = new NumberReader(12);
    const shown = [..."1", "2", "1", "x", "0", "\r"].map((key) => {
      reader.press(key);
      return reader.typed;
    });
    assert.deepEqual(shown, ["1", "", "1", "", "0", ""]);
  });
});
