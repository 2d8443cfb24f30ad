import assert from "node:assert/strict";
import { partition, partitionInto, type Share } from "../../src/schedule/partition.js";
import { RangeSet } from "../../src/schedule/range.js";
import { type ReplicaId, replicaId } from "../../src/trust/quorum.js";
import { Seeded, seed } from "../support/seeded.js";

const ids = (count: number) => Array.from({ length: count }, (_, index) => replicaId(`r${index}`));
const w = (...weights: number[]): Share[] =>
  weights.map((weight, index) => ({ replica: replicaId(`r${index}`), weight }));
const p = (start: number, end: number) => RangeSet.of({ start, end });

const counts = (regions: Map<ReplicaId, RangeSet>) =>
  [...regions.values()].map((region) => region.count);

function isPartition(regions: Map<ReplicaId, RangeSet>, wanted: RangeSet, what: string): void {
  let sum = RangeSet.empty;
  let count = 0;
  for (const region of regions.values()) {
    sum = sum.union(region);
    count += region.count;
  }
  assert.deepEqual(sum.ranges, wanted.ranges, `${what}: nothing is lost, nothing is invented`);
  assert.equal(count, wanted.count, `${what}: no piece is in two regions`);
}

function randomPieces(random: Seeded): RangeSet {
  const ranges = Array.from({ length: 1 + random.below(5) }, () => {
    const start = random.below(200);
    return { start, end: start + random.below(40) };
  });
  return RangeSet.of(...ranges);
}

describe("schedule/partition", () => {
  const table: readonly (readonly [pieces: number, shares: Share[], counts: number[]])[] = [
    [12, w(1), [12]],
    [12, w(1, 1), [6, 6]],
    [12, w(1, 1, 1), [4, 4, 4]],
    [12, w(1, 3), [3, 9]],
    [12, w(3, 1), [9, 3]],
    [100, w(50, 25, 25), [50, 25, 25]],
    [13, w(1, 1, 1), [4, 5, 4]],
    [2, w(1, 1, 1), [1, 1, 0]],
    [0, w(1, 1), [0, 0]],
    [10, w(1e9, 1), [10, 0]],
    [10, w(1, 1e9), [0, 10]],
    [10, w(1e9, 1e-9), [10, 0]],
  ];
  for (const [pieces, shares, expected] of table) {
    const weights = shares.map(({ weight }) => weight);
    it(`${pieces} pieces by ${weights.join(":")} are ${expected.join(" + ")}`, () =>
      assert.deepEqual(counts(partition(p(0, pieces), shares)), expected));
  }

  it("every piece lands in exactly one region, in proportion to within a piece a replica", () => {
    for (let round = 0; round < 2000; round++) {
      const random = new Seeded(seed + round);
      const what = `SEED=${(seed + round) >>> 0}`;
      const wanted = randomPieces(random);
      const shares = w(
        ...Array.from({ length: 1 + random.below(6) }, () => 1 + 1e8 * random.next()),
      );
      const regions = partition(wanted, shares);
      isPartition(regions, wanted, what);
      const sum = shares.reduce((total, { weight }) => total + weight, 0);
      for (const { replica, weight } of shares) {
        const fair = (wanted.count * weight) / sum;
        const got = regions.get(replica)?.count ?? Number.NaN;
        assert.ok(Math.abs(got - fair) <= shares.length, `${what}: ${got} for a share of ${fair}`);
      }
    }
  });

  it("regions are contiguous, in the order of the replicas", () => {
    const regions = partition(p(0, 10), w(1, 2, 2));
    const ranges = [...regions.values()].map((region) => region.ranges);
    const expected = [[{ start: 0, end: 2 }], [{ start: 2, end: 6 }], [{ start: 6, end: 10 }]];
    assert.deepEqual(ranges, expected);
    assert.deepEqual([...regions.keys()], ids(3));
  });

  it("there must be somebody to divide among", () => {
    assert.throws(() => partition(p(0, 3), []), /somebody/);
    assert.throws(() => partitionInto(2, p(0, 3), []), /somebody/);
  });

  const chunks: readonly (readonly [
    chunks: number,
    pieces: number,
    n: number,
    counts: number[],
  ])[] = [
    [1, 12, 3, [12]],
    [2, 12, 3, [6, 6]],
    [3, 12, 3, [4, 4, 4]],
    [4, 12, 3, [6, 3, 3]],
    [6, 12, 3, [4, 4, 4]],
    [4, 12, 1, [12]],
    [5, 12, 2, [7, 5]],
    [4, 2, 4, [1, 1, 0, 0]],
  ];
  for (const [number, pieces, replicas, expected] of chunks) {
    it(`${number} chunks of ${pieces} pieces among ${replicas} are ${expected.join(" + ")}`, () => {
      const regions = partitionInto(number, p(0, pieces), ids(replicas));
      assert.deepEqual(counts(regions), expected);
      isPartition(regions, p(0, pieces), "chunks");
    });
  }

  it("the n-th chunk begins at the n-th replica, and round again", () => {
    const regions = partitionInto(4, p(0, 8), ids(3));
    assert.deepEqual(regions.get(replicaId("r0"))?.ranges, [
      { start: 0, end: 2 },
      { start: 6, end: 8 },
    ]);
    assert.deepEqual(regions.get(replicaId("r1"))?.ranges, [{ start: 2, end: 4 }]);
  });

  it("chunks of whatever is wanted are a partition, too", () => {
    for (let round = 0; round < 1000; round++) {
      const random = new Seeded(seed + round);
      const wanted = randomPieces(random);
      const regions = partitionInto(1 + random.below(9), wanted, ids(1 + random.below(5)));
      isPartition(regions, wanted, `SEED=${(seed + round) >>> 0}`);
    }
  });
});
