import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { digestBytes } from "../../src/trust/digest.js";
import {
  leafAt,
  leafCount,
  leafDigest,
  onlyLeaf,
  rootOf,
  startLeaf,
} from "../../src/trust/merkle.js";

const sha256 = (...parts: Uint8Array[]) => {
  const hash = createHash("sha256");
  for (const part of parts) hash.update(part);
  return hash.digest();
};

/** RFC 6962, section 2.1, word by word: recursive, and with nothing of ours. */
function treeHash(entries: readonly Uint8Array[]): Uint8Array {
  const [first] = entries;
  if (first === undefined) return sha256();
  if (entries.length === 1) return sha256(Uint8Array.of(0), first);
  let split = 1;
  while (split * 2 < entries.length) split *= 2;
  const left = treeHash(entries.slice(0, split));
  return sha256(Uint8Array.of(1), left, treeHash(entries.slice(split)));
}

const text = (raw: Uint8Array) => `sha256:${Buffer.from(raw).toString("hex")}`;
const pieces = (count: number) =>
  Array.from({ length: count }, (_, index) => Buffer.from(`piece ${index}`));
const listOf = (entries: readonly Uint8Array[]) =>
  Buffer.concat(entries.map((entry) => leafDigest(entry)));

// The leaves and roots of RFC 6962's reference implementation (merkle_tree_test.cc).
const known = [
  "",
  "00",
  "10",
  "2021",
  "3031",
  "40414243",
  "5051525354555657",
  "606162636465666768696a6b6c6d6e6f",
].map((hex) => Buffer.from(hex, "hex"));
const knownRoots = [
  "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
  "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
  "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
  "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
  "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
  "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
  "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
  "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
  "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
];

describe("trust/merkle", () => {
  it("the empty tree is SHA-256 of nothing", () => {
    assert.equal(rootOf(new Uint8Array(0)), text(sha256()));
    assert.match(rootOf(new Uint8Array(0)), /^sha256:e3b0c442/);
  });

  it("gives the roots of RFC 6962's reference implementation", () => {
    for (const [count, root] of knownRoots.entries()) {
      assert.equal(rootOf(listOf(known.slice(0, count))), `sha256:${root}`, `${count} leaves`);
    }
  });

  it("gives the root of the recursive definition, for 0 to 70 leaves", () => {
    for (let count = 0; count <= 70; count++) {
      const entries = pieces(count);
      assert.equal(rootOf(listOf(entries)), text(treeHash(entries)), `${count} leaves`);
    }
  });

  it("a leaf that changed changes the root, wherever it stands", () => {
    for (const count of [1, 2, 3, 7, 8, 13]) {
      const root = rootOf(listOf(pieces(count)));
      for (let changed = 0; changed < count; changed++) {
        const entries = pieces(count).with(changed, Buffer.from("another"));
        assert.notEqual(rootOf(listOf(entries)), root, `leaf ${changed} of ${count}`);
      }
    }
  });

  it("the order of the leaves is part of the root", () => {
    const [a, b] = [Buffer.from("a"), Buffer.from("b")];
    assert.notEqual(rootOf(listOf([a, b])), rootOf(listOf([b, a])));
  });

  it("odd nodes are not duplicated", () => {
    for (const count of [1, 3, 5, 6, 7]) {
      const entries = pieces(count);
      const twice = [...entries, ...entries.slice(-1)];
      assert.notEqual(rootOf(listOf(twice)), rootOf(listOf(entries)), `${count} leaves`);
    }
  });

  it("a node does not pass for a piece", () => {
    const [a, b] = [Buffer.from("a"), Buffer.from("b")];
    const node = Buffer.concat([leafDigest(a), leafDigest(b)]);
    assert.notEqual(rootOf(listOf([node])), rootOf(listOf([a, b])));
    assert.notEqual(rootOf(listOf([a])), text(sha256(a)));
  });

  it("the root of a single leaf is that leaf", () => {
    const list = listOf(pieces(1));
    assert.deepEqual(Buffer.from(onlyLeaf(rootOf(list))), list);
  });

  it("a leaf in parts is the leaf of the whole", () => {
    const parts = startLeaf().update("pie").update("").update("ce").digest();
    assert.deepEqual(parts, Buffer.from(leafDigest(Buffer.from("piece"))));
  });

  it("a leaf is found in the list at its place, and nowhere beyond", () => {
    const entries = pieces(3);
    const list = listOf(entries);
    assert.equal(leafCount(list), 3);
    for (const [index, entry] of entries.entries()) {
      assert.equal(Buffer.compare(leafAt(list, index), leafDigest(entry)), 0);
    }
    assert.throws(() => leafAt(list, 3), /in the list/);
    assert.throws(() => leafAt(list, -1), /in the list/);
  });

  it("a list that is not a whole number of digests has no root", () => {
    assert.throws(() => rootOf(new Uint8Array(digestBytes + 1)), /whole number/);
  });
});
