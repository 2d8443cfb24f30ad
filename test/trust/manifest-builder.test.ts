import assert from "node:assert/strict";
import { digestOf, rawOf } from "../../src/trust/digest.js";
import { ManifestBuilder } from "../../src/trust/manifest-builder.js";
import { leafDigest, rootOf } from "../../src/trust/merkle.js";

const pieceBytes = 64 * 1024;

/** Bytes that no two neighbouring pieces share. */
const f = (size: number) => Uint8Array.from({ length: size }, (_, index) => (index * 31) % 251);

function builtInParts(bytes: Uint8Array, partBytes: number) {
  const builder = new ManifestBuilder(bytes.length);
  for (let from = 0; from < bytes.length; from += partBytes) {
    builder.add(bytes.subarray(from, from + partBytes));
  }
  return builder.finish();
}

/** The same manifest without a builder: whole pieces, all in memory. */
function expected(bytes: Uint8Array) {
  const leaves: Uint8Array[] = [];
  const upTo: Uint8Array[] = [];
  for (let from = 0; from < bytes.length; from += pieceBytes) {
    leaves.push(leafDigest(bytes.subarray(from, from + pieceBytes)));
    upTo.push(rawOf(digestOf(bytes.subarray(0, from + pieceBytes))));
  }
  const [pieces, prefixes] = [leaves, upTo].map((list) => new Uint8Array(Buffer.concat(list)));
  assert.ok(pieces !== undefined && prefixes !== undefined);
  const [digest, root, prefixRoot] = [digestOf(bytes), rootOf(pieces), rootOf(prefixes)];
  const [size, pieceCount] = [bytes.length, leaves.length];
  return { size, digest, root, pieceBytes, pieceCount, pieces, prefixRoot, prefixes };
}

describe("trust/manifest-builder", () => {
  const sizes: readonly (readonly [size: number, what: string])[] = [
    [0, "an empty file"],
    [1, "one byte"],
    [pieceBytes - 1, "one byte less than a piece"],
    [pieceBytes, "exactly one piece"],
    [pieceBytes + 1, "a piece and one byte"],
    [2 * pieceBytes, "exactly two pieces"],
    [3 * pieceBytes + 777, "some pieces and a rest"],
  ];
  const parts = [997, 4096, pieceBytes - 1, pieceBytes, pieceBytes + 1, 10 * pieceBytes];
  for (const [size, what] of sizes) {
    it(`${what} gives the same manifest whatever the sizes of the parts`, () => {
      const bytes = f(size);
      for (const part of parts) {
        assert.deepEqual(builtInParts(bytes, part), expected(bytes), `parts of ${part}`);
      }
    });
  }

  it("one byte at a time is the same, too", () => {
    const bytes = f(pieceBytes + 1);
    assert.deepEqual(builtInParts(bytes, 1), expected(bytes));
  });

  it("an empty part changes nothing", () => {
    const builder = new ManifestBuilder(2);
    for (const part of [f(0), f(1), f(0), f(2).subarray(1), f(0)]) builder.add(part);
    assert.deepEqual(builder.finish(), expected(f(2)));
  });

  it("pieces of another size than the protocol's are made on request", () => {
    const builder = new ManifestBuilder(10, 4);
    builder.add(f(10));
    const { pieceCount, pieces, prefixes, digest } = builder.finish();
    const leaves = [f(10).subarray(0, 4), f(10).subarray(4, 8), f(10).subarray(8)].map(leafDigest);
    assert.equal(pieceCount, 3);
    assert.deepEqual(Buffer.from(pieces), Buffer.concat(leaves));
    const upTo = [4, 8, 10].map((end) => rawOf(digestOf(f(10).subarray(0, end))));
    assert.deepEqual(Buffer.from(prefixes), Buffer.concat(upTo));
    assert.equal(digest, digestOf(f(10)));
  });

  it("a byte more than announced is refused", () => {
    const builder = new ManifestBuilder(3);
    builder.add(f(3));
    assert.throws(() => builder.add(f(1)), /no more bytes/);
  });

  it("a byte less than announced gives no manifest", () => {
    const builder = new ManifestBuilder(3);
    builder.add(f(2));
    assert.throws(() => builder.finish(), /all bytes came/);
  });
});
