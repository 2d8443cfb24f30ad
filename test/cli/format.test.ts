import assert from "node:assert/strict";
import {
  ageText,
  barText,
  bytesText,
  countText,
  durationText,
  fitted,
  percentText,
  rateText,
  table,
} from "../../src/cli/format.js";

type Numbers = readonly (readonly [value: number, text: string])[];

describe("bytes in words", () => {
  const KiB = 1024;
  const cases: Numbers = [
    [-5, "0 B"],
    [0, "0 B"],
    [1, "1 B"],
    [1023, "1023 B"],
    [KiB, "1.00 KiB"],
    [1536, "1.50 KiB"],
    [10 * KiB, "10.0 KiB"],
    [100 * KiB, "100 KiB"],
    [KiB ** 2 - 1, "1024 KiB"],
    [KiB ** 2, "1.00 MiB"],
    [KiB ** 3, "1.00 GiB"],
    [KiB ** 4, "1.00 TiB"],
    [KiB ** 5, "1.00 PiB"],
    [5000 * KiB ** 5, "5000 PiB"],
  ];
  for (const [bytes, text] of cases) {
    it(`${bytes} is ${text}`, () => assert.equal(bytesText(bytes), text));
  }
  it("have at most four digits, whatever the number", () => {
    for (let bytes = 1; bytes < KiB ** 5; bytes = Math.ceil(bytes * 1.37)) {
      assert.ok(bytesText(bytes).replace(/\D/g, "").length <= 4, bytesText(bytes));
    }
  });
  it("a second are a rate", () => assert.equal(rateText(1536), "1.50 KiB/s"));
});

describe("an age in words", () => {
  const cases: Numbers = [
    [0, "0 s"],
    [119.9, "119 s"],
    [120, "2 min"],
    [7199, "119 min"],
    [7200, "2 h"],
    [172_799, "47 h"],
    [172_800, "2 days"],
    [31_536_000, "365 days"],
  ];
  for (const [seconds, text] of cases) {
    it(`${seconds} s is ${text}`, () => assert.equal(ageText(seconds), text));
  }
});

describe("a duration in words", () => {
  const cases: Numbers = [
    [0, "0.00 s"],
    [0.42, "0.42 s"],
    [9.99, "9.99 s"],
    [10, "10.0 s"],
    [12.34, "12.3 s"],
    [59.9, "59.9 s"],
    [60, "1 min 00 s"],
    [125, "2 min 05 s"],
    [3599.9, "59 min 59 s"],
    [3600, "1 h 00 min"],
    [11_220, "3 h 07 min"],
    [360_000, "100 h 00 min"],
    // What is rounded up to the next unit is written in it.
    [9.997, "10.0 s"],
    [59.97, "1 min 00 s"],
  ];
  for (const [seconds, text] of cases) {
    it(`${seconds} s is ${text}`, () => assert.equal(durationText(seconds), text));
  }
});

describe("a percentage", () => {
  const cases: readonly (readonly [part: number, whole: number, text: string])[] = [
    [0, 100, "0.0 %"],
    [1, 1000, "0.1 %"],
    [432, 1000, "43.2 %"],
    [4329, 10_000, "43.2 %"],
    [999, 1000, "99.9 %"],
    [100, 100, "100 %"],
    [101, 100, "100 %"],
    [0, 0, "100 %"],
  ];
  for (const [part, whole, text] of cases) {
    it(`${part} of ${whole} is ${text}`, () => assert.equal(percentText(part, whole), text));
  }
  it("is never 100 % before the end, however near that is", () => {
    for (let whole = 2; whole <= Number.MAX_SAFE_INTEGER; whole = whole * 3 + 1) {
      assert.match(percentText(whole - 1, whole), /^\d\d?\.\d %$/, String(whole));
    }
    const most = Number.MAX_SAFE_INTEGER;
    assert.equal(percentText(most - 1, most), "99.9 %");
  });
  it("never falls while the part grows", () => {
    let last = 0;
    for (let part = 0; part <= 3000; part++) {
      const percent = Number.parseFloat(percentText(part, 3000));
      assert.ok(percent >= last, `${part} of 3000`);
      last = percent;
    }
  });
});

describe("a count", () => {
  for (const [count, text] of [
    [0, "0 replicas"],
    [1, "1 replica"],
    [2, "2 replicas"],
  ] as const) {
    it(`of ${count} is ${text}`, () => assert.equal(countText(count, "replica"), text));
  }
});

describe("a bar", () => {
  const cases: readonly (readonly [part: number, whole: number, bar: string])[] = [
    [0, 10, "░░░░"],
    [4, 10, "█░░░"],
    [9.99, 10, "███░"],
    [10, 10, "████"],
    [0, 0, "████"],
  ];
  for (const [part, whole, bar] of cases) {
    it(`of ${part} in ${whole} is ${bar}`, () => assert.equal(barText(part, whole, 4), bar));
  }
});

describe("a table", () => {
  it("has columns as wide as their widest cell, numbers to the right", () => {
    const rows = [
      ["a", "5", "good"],
      ["long name", "12345", ""],
    ];
    assert.deepEqual(table(["name", "bytes", ""], rows, ["bytes"]), [
      "name       bytes",
      "a              5  good",
      "long name  12345",
    ]);
  });
  it("has a head without any row", () => {
    assert.deepEqual(table(["name", "bytes"], []), ["name  bytes"]);
  });
  it("a row with too few cells is filled up, one with too many is cut", () => {
    const lines = table(["a", "b"], [["1"], ["1", "2", "3"]]);
    assert.deepEqual(lines, ["a  b", "1", "1  2"]);
  });
  it("no line ends in blanks", () => {
    for (const line of table(["wide title", ""], [["x", ""]])) assert.equal(line, line.trimEnd());
  });
});

describe("a line that is fitted", () => {
  const cases: readonly (readonly [line: string, columns: number, fit: string])[] = [
    ["", 10, ""],
    ["hello", 6, "hello"],
    ["hello", 5, "hello"],
    ["hello", 4, "hel…"],
    ["hello", 1, "…"],
    ["█░█░█", 3, "█░…"],
    // Never half of a pair of surrogates.
    ["😀😀😀", 5, "😀😀…"],
    ["😀😀", 4, "😀😀"],
    // Wide ones take two columns, and a mark that sits on a letter none.
    ["日本語", 6, "日本語"],
    ["日本語", 5, "日本…"],
    ["日本語", 4, "日…"],
    ["a\u0301b\u0301c", 3, "a\u0301b\u0301c"],
  ];
  for (const [line, columns, fit] of cases) {
    it(`${JSON.stringify(line)} in ${columns} columns is ${JSON.stringify(fit)}`, () => {
      assert.equal(fitted(line, columns), fit);
    });
  }
  // A terminal that does not know its size says 0.
  for (const columns of [0, 1, 2, 50]) {
    it(`never has more than ${columns} characters in ${columns} columns`, () => {
      assert.ok(
        [...fitted("a line that is longer than any of them".repeat(3), columns)].length <= columns,
      );
    });
  }
});
