import assert from "node:assert/strict";
import { PieceGatherer } from "../../src/download/piece-gatherer.js";

/** Seven pieces of ten bytes, the last one of five. */
const layout = { size: 65, pieceBytes: 10, pieceCount: 7 };
const content = Uint8Array.from({ length: layout.size }, (_, index) => index);

/** What chunks of such lengths are gathered to: `first+pieces` each. */
function gathered(lengths: readonly number[], most?: () => number): string[] {
  const gatherer = new PieceGatherer(layout, 0);
  const found: string[] = [];
  let offset = 0;
  for (const length of lengths) {
    const chunk = content.subarray(offset, offset + length);
    offset += length;
    for (const { piece, pieces, content: bytes } of gatherer.add(chunk, most)) {
      found.push(`${piece}+${pieces}`);
      const [start, end] = [piece * 10, Math.min(layout.size, (piece + pieces) * 10)];
      assert.deepEqual([...bytes], [...content.subarray(start, end)]);
    }
  }
  return found;
}

const cases: readonly [title: string, lengths: readonly number[], found: string][] = [
  ["whole ones in one chunk, the last one included", [65], "0+7"],
  ["whole ones in each chunk", [20, 30, 15], "0+2 2+3 5+2"],
  ["one that two chunks have part of comes alone", [25, 25, 15], "0+2 2+1 3+2 5+2"],
  ["one that many chunks have part of", [3, 3, 3, 3, 53], "0+1 1+1 2+5"],
];

describe("pieces are gathered", () => {
  for (const [title, lengths, found] of cases) {
    it(`${title}: ${lengths}`, () => {
      assert.equal(gathered(lengths, () => 100).join(" "), found);
    });
  }

  it("no more at once than somebody takes", () => {
    const takes = [3, 1, 2];
    assert.equal(gathered([65], () => takes.shift() ?? 1).join(" "), "0+3 3+1 4+2 6+1");
  });

  it("one by one where nobody says how many", () => {
    assert.equal(gathered([65]).length, layout.pieceCount);
  });
});
