import assert from "node:assert/strict";
import { baseName, isHidden, nameProblem, outputNameProblem } from "../../src/trust/name.js";

const codes = (...points: number[]) => String.fromCodePoint(...points);
/** A name with one code unit or code point in its middle. */
const w = (point: number) => `be${codes(point)}fore`;
/** A name of so many ASCII letters. */
const n = (bytes: number) => "n".repeat(bytes);

describe("trust/name", () => {
  const good: readonly (readonly [name: string, why: string])[] = [
    ["data.bin", "plain"],
    ["a", "one letter"],
    ["a/b/c.txt", "components"],
    ["with space (1).tar.gz", "spaces and brackets"],
    ["größe-数据-🎬.mp4", "any script, and beyond the first plane"],
    [".hidden", "a leading dot is hidden, not malformed"],
    ["a/.b", "a hidden component"],
    ["-dash", "a dash is only refused as an output"],
    ["...", "three dots are no parent"],
    ["a..b", "two dots inside a component"],
    ["..a", "two dots before a component"],
    ["C:file", "a colon"],
    [w(0xa0), "the first code point after C1"],
    [w(0x7e), "the last one before DEL"],
    [w(0xfffc), "the neighbour of U+FFFD"],
    [n(1024), "exactly 1,024 bytes"],
    [`${"é".repeat(512)}`, "exactly 1,024 bytes, of two bytes a letter"],
  ];
  for (const [name, why] of good) {
    it(`takes a good name: ${why}`, () => assert.equal(nameProblem(name), undefined));
  }

  const bad: readonly (readonly [name: string, why: string, problem: RegExp])[] = [
    ["", "nothing at all", /empty/],
    [n(1025), "1,025 bytes", /longer than 1024/],
    [`${"é".repeat(512)}n`, "1,025 bytes in 513 letters", /longer than 1024/],
    [w(0x00), "NUL", /control/],
    [w(0x0a), "a line feed", /control/],
    [w(0x1b), "ESC", /control/],
    [w(0x1f), "the last of C0", /control/],
    [w(0x7f), "DEL", /control/],
    [w(0x80), "the first of C1", /control/],
    [w(0x9b), "CSI", /control/],
    [w(0x9f), "the last of C1", /control/],
    [w(0x061c), "U+061C, an Arabic letter mark", /bidirectional/],
    [w(0x200e), "U+200E, left to right", /bidirectional/],
    [w(0x200f), "U+200F, right to left", /bidirectional/],
    [w(0x202a), "U+202A, an embedding", /bidirectional/],
    [w(0x202e), "U+202E, an override", /bidirectional/],
    [w(0x2066), "U+2066, an isolate", /bidirectional/],
    [w(0x2069), "U+2069, the end of an isolate", /bidirectional/],
    [w(0x2028), "U+2028, a line separator", /invisible/],
    [w(0x2029), "U+2029, a paragraph separator", /invisible/],
    [w(0xfffd), "U+FFFD, what broken UTF-8 becomes", /UTF-8/],
    [w(0xd800), "a lone high surrogate", /Unicode/],
    [w(0xdfff), "a lone low surrogate", /Unicode/],
    ["a\\b", "a backslash", /backslash/],
    ["/a", "a leading slash", /empty component/],
    ["a/", "a trailing slash", /empty component/],
    ["/", "only a slash", /empty component/],
    ["a//b", "an empty component", /empty component/],
    [".", "the folder itself", /`\.`/],
    ["..", "the parent", /`\.\.`/],
    ["../a", "a way up", /`\.\.`/],
    ["a/../b", "a way up and down again", /`\.\.`/],
    ["a/..", "a way up at the end", /`\.\.`/],
    ["./a", "a dot component", /`\.`/],
    ["a/./b", "a dot component inside", /`\.`/],
  ];
  for (const [name, why, problem] of bad) {
    it(`refuses a bad name: ${why}`, () => assert.match(nameProblem(name) ?? "good", problem));
    it(`refuses it as an output, too: ${why}`, () =>
      assert.match(outputNameProblem(name) ?? "good", problem));
  }

  it("a name is hidden when any component begins with a dot", () => {
    const table: readonly (readonly [name: string, hidden: boolean])[] = [
      ["a", false],
      ["a.b", false],
      ["a/b.", false],
      [".a", true],
      ["a/.b", true],
      [".a/b", true],
      [".data.bin.quorate-part", true],
    ];
    for (const [name, hidden] of table) assert.equal(isHidden(name), hidden, name);
  });

  it("the base name is the last component", () => {
    const table: readonly (readonly [name: string, base: string])[] = [
      ["a", "a"],
      ["a/b", "b"],
      ["a/b/c.d", "c.d"],
    ];
    for (const [name, base] of table) assert.equal(baseName(name), base);
  });

  it("an output's base name begins with neither dash nor dot", () => {
    const table: readonly (readonly [name: string, problem: RegExp])[] = [
      ["data.bin", /^good$/],
      ["a/data.bin", /^good$/],
      ["-folder/data.bin", /^good$/],
      ["a-b", /^good$/],
      ["-rf", /dash/],
      ["a/-rf", /dash/],
      [".bashrc", /dot/],
      ["a/.bashrc", /dot/],
    ];
    for (const [name, problem] of table) {
      assert.match(outputNameProblem(name) ?? "good", problem, name);
    }
  });
});
