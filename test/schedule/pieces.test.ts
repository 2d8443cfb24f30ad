import assert from "node:assert/strict";
import {
  byteCount,
  bytesOf,
  type Layout,
  pieceIndex,
  pieceLength,
} from "../../src/schedule/pieces.js";
import { RangeSet } from "../../src/schedule/range.js";

const r = (start: number, end: number) => ({ start, end });
/** A file of so many bytes, in pieces of 10. */
const f = (size: number): Layout => ({ size, pieceBytes: 10, pieceCount: Math.ceil(size / 10) });

describe("schedule/pieces", () => {
  const spans: readonly (readonly [layout: Layout, start: number, end: number, bytes: string])[] = [
    [f(25), 0, 1, "0-10"],
    [f(25), 0, 2, "0-20"],
    [f(25), 1, 3, "10-25"],
    [f(25), 2, 3, "20-25"],
    [f(30), 2, 3, "20-30"],
    [f(30), 0, 3, "0-30"],
    [f(1), 0, 1, "0-1"],
    [f(0), 0, 0, "0-0"],
    [f(25), 3, 3, "25-25"],
  ];
  for (const [layout, start, end, bytes] of spans) {
    it(`pieces [${start}, ${end}) of ${layout.size} bytes are bytes ${bytes}`, () => {
      const span = bytesOf(layout, r(start, end));
      assert.equal(`${span.start}-${span.end}`, bytes);
      const pieces = RangeSet.of(r(start, end));
      assert.equal(byteCount(layout, pieces), span.end - span.start);
    });
  }

  it("the pieces' lengths add up to the file", () => {
    for (const size of [0, 1, 9, 10, 11, 20, 99, 100, 101]) {
      const layout = f(size);
      let sum = 0;
      for (let piece = 0; piece < layout.pieceCount; piece++) {
        const length = pieceLength(layout, piece);
        assert.ok(length > 0 && length <= 10);
        sum += length;
      }
      assert.equal(sum, size);
    }
  });

  it("only the last piece is shorter", () => {
    const lengths = [0, 1, 2].map((piece) => pieceLength(f(25), piece));
    assert.deepEqual(lengths, [10, 10, 5]);
  });

  it("bytes of scattered pieces are counted each once", () => {
    assert.equal(byteCount(f(25), RangeSet.of(r(0, 1), r(2, 3))), 15);
    assert.equal(byteCount(f(25), RangeSet.empty), 0);
  });

  it("a piece index is a whole number from 0", () => {
    for (const index of [0, 1, Number.MAX_SAFE_INTEGER]) assert.equal(pieceIndex(index), index);
    for (const index of [-1, 0.5, Number.NaN, Number.POSITIVE_INFINITY, 2 ** 53]) {
      assert.throws(() => pieceIndex(index), /is a piece index/);
    }
  });
});
