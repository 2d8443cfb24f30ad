import assert from "node:assert/strict";
import { limits } from "../../src/limits.js";
import { digestOf } from "../../src/trust/digest.js";
import {
  type Claim,
  manifestOf,
  parseClaim,
  pieceBytesFor,
  type RawClaim,
  sameClaim,
} from "../../src/trust/manifest.js";

const KiB = 1024;
const MiB = 1024 * KiB;
const GiB = 1024 * MiB;

const d = (letter: string) => digestOf(Buffer.from(letter));
/** A well-formed claim of 1,000 bytes, changed in some fields. */
const r = (changed: Partial<RawClaim>): RawClaim => ({
  size: 1000n,
  digest: d("file"),
  pieceBytes: BigInt(64 * KiB),
  root: d("root"),
  prefixRoot: "",
  ...changed,
});

describe("trust/manifest", () => {
  const sizes: readonly (readonly [size: number, pieceBytes: number, pieceCount: number])[] = [
    [0, 64 * KiB, 0],
    [1, 64 * KiB, 1],
    [64 * KiB - 1, 64 * KiB, 1],
    [64 * KiB, 64 * KiB, 1],
    [64 * KiB + 1, 64 * KiB, 2],
    [64 * KiB * 4096, 64 * KiB, 4096],
    [64 * KiB * 4096 + 1, 128 * KiB, 2049],
    [128 * KiB * 4096, 128 * KiB, 4096],
    [128 * KiB * 4096 + 1, 256 * KiB, 2049],
    [1 * GiB, 256 * KiB, 4096],
    [4 * MiB * 4096, 4 * MiB, 4096],
    [4 * MiB * 4096 + 1, 4 * MiB, 4097],
    [64 * 1024 * GiB, 4 * MiB, 16_777_216],
    [limits.fileBytes, 4 * MiB, 268_435_456],
  ];
  for (const [size, pieceBytes, pieceCount] of sizes) {
    it(`a file of ${size} bytes has ${pieceCount} pieces of ${pieceBytes} bytes`, () => {
      assert.equal(pieceBytesFor(size), pieceBytes);
      const manifest = manifestOf({ size, digest: d("file"), root: undefined });
      assert.deepEqual(manifest, {
        size,
        digest: d("file"),
        root: undefined,
        pieceBytes,
        pieceCount,
      });
    });
  }

  it("a claim is read as it was made", () => {
    assert.deepEqual(parseClaim(r({})), { size: 1000, digest: d("file"), root: d("root") });
  });

  it("a claim may name the root of its prefixes as well, if it gives pieces", () => {
    const claim = { size: 1000, digest: d("file"), root: d("root"), prefixRoot: d("prefixes") };
    for (const prefixRoot of [d("prefixes"), d("prefixes").toUpperCase()]) {
      assert.deepEqual(parseClaim(r({ prefixRoot })), claim);
    }
    const bare = { size: 1000, digest: d("file"), root: undefined };
    for (const prefixRoot of [d("prefixes"), "none"]) {
      assert.deepEqual(parseClaim(r({ root: "", prefixRoot })), bare);
    }
  });

  it("a claim may leave out the pieces, whatever piece size stands beside", () => {
    const bare = { size: 1000, digest: d("file"), root: undefined };
    assert.deepEqual(parseClaim(r({ root: "", pieceBytes: 0n })), bare);
    assert.deepEqual(parseClaim(r({ root: "", pieceBytes: 7n })), bare);
  });

  it("digests are compared whatever case they were written in", () => {
    const claim = parseClaim(r({ digest: d("file").toUpperCase(), root: d("root").toUpperCase() }));
    assert.deepEqual(claim, { size: 1000, digest: d("file"), root: d("root") });
  });

  const largest = BigInt(limits.fileBytes);
  const fourMiB = BigInt(4 * MiB);
  const table: readonly (readonly [raw: RawClaim, problem: RegExp])[] = [
    [r({ size: 0n }), /^taken$/],
    [r({ size: largest, pieceBytes: fourMiB }), /^taken$/],
    [r({ size: -1n }), /size of -1/],
    [r({ size: largest + 1n, pieceBytes: fourMiB }), /more than this client takes/],
    [r({ size: 2n ** 64n - 1n, pieceBytes: fourMiB }), /more than this client takes/],
    [r({ size: 2n ** 64n + 1000n }), /more than this client takes/],
    [r({ digest: "" }), /its digest/],
    [r({ digest: "sha256:" }), /its digest/],
    [r({ digest: d("file").slice(0, -1) }), /its digest/],
    [r({ digest: d("file").slice("sha256:".length) }), /its digest/],
    [r({ root: "sha256:" }), /its piece root/],
    [r({ root: `${d("root")}0` }), /its piece root/],
    [r({ root: "none" }), /its piece root/],
    [r({ prefixRoot: d("prefixes") }), /^taken$/],
    [r({ prefixRoot: "sha256:" }), /its prefix root/],
    [r({ prefixRoot: `${d("prefixes")}0` }), /its prefix root/],
    [r({ prefixRoot: "none" }), /its prefix root/],
    [r({ pieceBytes: 0n }), /its pieces have 0 bytes/],
    [r({ pieceBytes: -1n }), /its pieces have -1 bytes/],
    [r({ pieceBytes: 1n }), /its pieces have 1 bytes/],
    [r({ pieceBytes: BigInt(64 * KiB + 1) }), /not 65536/],
    [r({ pieceBytes: BigInt(128 * KiB) }), /not 65536/],
    [r({ pieceBytes: 2n ** 64n + BigInt(64 * KiB) }), /not 65536/],
  ];
  for (const [raw, problem] of table) {
    const digests = `${raw.digest.slice(0, 14)} under ${raw.root.slice(0, 14)}`;
    const prefixes = raw.prefixRoot === "" ? "" : `, prefixes ${raw.prefixRoot.slice(0, 14)}`;
    const shown = `${raw.size} bytes, pieces of ${raw.pieceBytes}, ${digests}${prefixes}`;
    it(`a claim of ${shown} is ${problem.source}`, () => {
      const read = parseClaim(raw);
      assert.match("problem" in read ? read.problem : "taken", problem);
    });
  }

  it("two claims are the same only when every field is", () => {
    const claim: Claim = { size: 1, digest: d("file"), root: d("root") };
    assert.ok(sameClaim(claim, { ...claim }));
    assert.ok(!sameClaim(claim, { ...claim, size: 2 }));
    assert.ok(!sameClaim(claim, { ...claim, digest: d("other") }));
    assert.ok(!sameClaim(claim, { ...claim, root: d("other") }));
    assert.ok(!sameClaim(claim, { ...claim, root: undefined }));
    assert.ok(sameClaim(claim, { ...claim, prefixRoot: d("prefixes") }), "it stands beside");
  });
});
