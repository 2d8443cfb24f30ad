import assert from "node:assert/strict";
import { cleanText } from "../../src/trust/text.js";

const w = (point: number) => `a${String.fromCodePoint(point)}b`;

describe("trust/text", () => {
  it("a text that is a result is not cut", () => {
    const long = "x".repeat(1000);
    assert.equal(cleanText(`${long}\n`, Number.POSITIVE_INFINITY), `${long}?`);
  });

  const steering: readonly (readonly [point: number, what: string])[] = [
    [0x00, "NUL"],
    [0x07, "BEL"],
    [0x0a, "a line feed"],
    [0x0d, "a carriage return"],
    [0x1b, "ESC"],
    [0x7f, "DEL"],
    [0x85, "NEL"],
    [0x9b, "CSI"],
    [0xad, "a soft hyphen"],
    [0x061c, "an Arabic letter mark"],
    [0x200b, "a zero-width space"],
    [0x200f, "a right-to-left mark"],
    [0x2028, "a line separator"],
    [0x2029, "a paragraph separator"],
    [0x202e, "a right-to-left override"],
    [0x2066, "an isolate"],
    [0xfeff, "a byte order mark"],
    [0xe000, "private use"],
    [0xe0041, "a tag letter"],
  ];
  for (const [point, what] of steering) {
    it(`${what} becomes a question mark`, () => assert.equal(cleanText(w(point)), "a?b"));
  }

  it("a terminal sequence loses its teeth", () => {
    assert.equal(cleanText("\u001b[2J\u001b]0;title\u0007"), "?[2J?]0;title?");
  });

  it("what can be read stays as it is", () => {
    const text = "größe, 数据, 🎬: 100 % “fine”";
    assert.equal(cleanText(text), text);
  });

  it("a lone surrogate is replaced", () => {
    for (const text of [w(0xd800), w(0xdfff), "a\ud83c"]) {
      assert.ok(cleanText(text).isWellFormed());
      assert.doesNotMatch(cleanText(text), /\p{Cs}/u);
    }
  });

  it("200 characters are shown whole, the 201st is cut off and says so", () => {
    assert.equal(cleanText("x".repeat(200)), "x".repeat(200));
    assert.equal(cleanText("x".repeat(201)), `${"x".repeat(200)}…`);
    assert.equal(cleanText("x".repeat(1_000_000)).length, 201);
  });

  it("a cut through a surrogate pair leaves valid Unicode", () => {
    assert.ok(cleanText(`${"x".repeat(199)}🎬🎬`).isWellFormed());
  });
});
