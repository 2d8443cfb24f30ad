import assert from "node:assert/strict";
import {
  DigestBuilder,
  digestFromRaw,
  digestOf,
  parseDigest,
  shortDigest,
} from "../../src/trust/digest.js";

// FIPS 180-4, and its examples.
const ofNothing = "sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
const ofAbc = "sha256:ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";

const t = (text: string) => new TextEncoder().encode(text);

describe("trust/digest", () => {
  it("is SHA-256", () => {
    assert.equal(digestOf(t("")), ofNothing);
    assert.equal(digestOf(t("abc")), ofAbc);
  });

  it("is the same whatever the sizes of the parts added", () => {
    const parts = [["abc"], ["a", "bc"], ["a", "", "b", "c", ""]];
    for (const texts of parts) {
      const builder = new DigestBuilder();
      for (const text of texts) builder.add(t(text));
      assert.equal(builder.finish(), ofAbc, texts.join("|"));
    }
    assert.equal(new DigestBuilder().finish(), ofNothing);
  });

  it("so far is that of the bytes until now, and more may come", () => {
    const builder = new DigestBuilder();
    const upTo = ["a", "b", "c"].map((text) => {
      builder.add(t(text));
      return digestFromRaw(builder.soFar());
    });
    assert.deepEqual(upTo, [digestOf(t("a")), digestOf(t("ab")), ofAbc]);
    assert.equal(builder.finish(), ofAbc);
  });

  it("raw bytes that are a view into more are written alone", () => {
    const around = new Uint8Array(34).fill(0xff);
    around.fill(0xab, 1, 33);
    assert.equal(digestFromRaw(around.subarray(1, 33)), `sha256:${"ab".repeat(32)}`);
  });

  const hex = "0123456789abcdef".repeat(4);
  const table: readonly (readonly [text: string, read: string | undefined])[] = [
    [`sha256:${hex}`, `sha256:${hex}`],
    [`sha256:${hex.toUpperCase()}`, `sha256:${hex}`],
    [`SHA256:${hex}`, `sha256:${hex}`],
    ["", undefined],
    [hex, undefined],
    ["sha256:", undefined],
    [`sha256:${hex.slice(1)}`, undefined],
    [`sha256:${hex}0`, undefined],
    [`sha256:${hex.slice(1)}g`, undefined],
    [`sha256:${hex}\n`, undefined],
    [` sha256:${hex}`, undefined],
    [`sha256: ${hex.slice(1)}`, undefined],
    [`sha512:${hex}`, undefined],
    [`sha256-${hex}`, undefined],
  ];
  for (const [text, read] of table) {
    it(`${JSON.stringify(text)} is ${read === undefined ? "no digest" : "a digest"}`, () =>
      assert.equal(parseDigest(text), read));
  }

  it("is shown by its first 12 digits", () => {
    assert.equal(shortDigest(ofAbc), "ba7816bf8f01");
    assert.equal(shortDigest("ba7816bf8f01cfea"), "ba7816bf8f01");
  });
});
