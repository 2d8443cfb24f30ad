import assert from "node:assert/strict";
import { type Range, RangeSet } from "../../src/schedule/range.js";
import { Seeded, seed } from "../support/seeded.js";

/** `[start, end)`. */
const r = (start: number, end: number): Range => ({ start, end });
const S = (...ranges: Range[]) => RangeSet.of(...ranges);

const universe = 24;
const numbers = Array.from({ length: universe }, (_, index) => index);

function randomRanges(random: Seeded): Range[] {
  return Array.from({ length: random.below(6) }, () => {
    const start = random.below(universe);
    return r(start, Math.min(universe, start + random.below(8)));
  });
}

const modelOf = (ranges: readonly Range[]) =>
  new Set(ranges.flatMap(({ start, end }) => numbers.slice(start, Math.max(start, end))));

/** The set is the model, and is kept sorted, with ranges that neither touch nor overlap. */
function isModel(set: RangeSet, model: ReadonlySet<number>, what: string): void {
  const held = numbers.filter((value) => set.has(value));
  assert.deepEqual(
    held,
    numbers.filter((value) => model.has(value)),
    what,
  );
  assert.equal(set.count, model.size, what);
  assert.equal(set.isEmpty, model.size === 0, what);
  let before = Number.NEGATIVE_INFINITY;
  for (const { start, end } of set.ranges) {
    assert.ok(before < start && start < end, `${what}: ${JSON.stringify(set.ranges)} is normal`);
    before = end;
  }
}

/** Runs a case thousands of times, each with a seed that can be replayed alone. */
function often(check: (random: Seeded, what: string) => void): void {
  for (let round = 0; round < 3000; round++) {
    check(new Seeded(seed + round), `SEED=${(seed + round) >>> 0}`);
  }
}

describe("schedule/range", () => {
  const unions: readonly (readonly [ranges: Range[], joined: Range[]])[] = [
    [[], []],
    [[r(3, 3)], []],
    [[r(5, 3)], []],
    [[r(0, 1)], [r(0, 1)]],
    [[r(0, 2), r(2, 4)], [r(0, 4)]],
    [
      [r(0, 2), r(3, 4)],
      [r(0, 2), r(3, 4)],
    ],
    [[r(3, 6), r(0, 4)], [r(0, 6)]],
    [[r(0, 9), r(2, 3)], [r(0, 9)]],
    [[r(0, 2), r(4, 6), r(2, 4)], [r(0, 6)]],
  ];
  for (const [ranges, joined] of unions) {
    it(`${JSON.stringify(ranges.map(({ start, end }) => [start, end]))} is joined`, () =>
      assert.deepEqual(S(...ranges).ranges, joined));
  }

  it("holds exactly what its ranges hold", () => {
    often((random, what) => {
      const ranges = randomRanges(random);
      isModel(S(...ranges), modelOf(ranges), what);
    });
  });

  it("union, difference and intersection are those of sets", () => {
    often((random, what) => {
      const [left, right] = [randomRanges(random), randomRanges(random)];
      const [x, y] = [modelOf(left), modelOf(right)];
      isModel(S(...left).union(S(...right)), new Set([...x, ...y]), `${what} union`);
      const difference = [...x].filter((value) => !y.has(value));
      isModel(S(...left).subtract(S(...right)), new Set(difference), `${what} difference`);
      const both = [...x].filter((value) => y.has(value));
      isModel(S(...left).intersect(S(...right)), new Set(both), `${what} intersection`);
    });
  });

  it("the first and the last so many are taken, and the rest stays", () => {
    often((random, what) => {
      const ranges = randomRanges(random);
      const sorted = [...modelOf(ranges)].sort((left, right) => left - right);
      const count = random.below(universe + 3);
      const [first, rest] = S(...ranges).takeFirst(count);
      isModel(first, new Set(sorted.slice(0, count)), `${what} first ${count}`);
      isModel(rest, new Set(sorted.slice(count)), `${what} rest after ${count}`);
      const from = Math.max(0, sorted.length - count);
      const [last, before] = S(...ranges).takeLast(count);
      isModel(last, new Set(sorted.slice(from)), `${what} last ${count}`);
      isModel(before, new Set(sorted.slice(0, from)), `${what} rest before ${count}`);
    });
  });

  it("no operation changes the sets that it works on", () => {
    often((random, what) => {
      const [left, right] = [randomRanges(random), randomRanges(random)];
      const [x, y] = [S(...left), S(...right)];
      x.union(y);
      x.subtract(y);
      x.intersect(y);
      x.takeFirst(3);
      x.takeLast(3);
      isModel(x, modelOf(left), what);
      isModel(y, modelOf(right), what);
    });
  });

  it("a negative count is refused", () => {
    assert.throws(() => S(r(0, 3)).takeFirst(-1), /not negative/);
    assert.throws(() => S(r(0, 3)).takeFirst(Number.NaN), /not negative/);
  });

  it("takes what JavaScript can count: bytes of the largest file", () => {
    const file = S(r(0, 2 ** 50));
    assert.equal(file.subtract(S(r(1, 2))).count, 2 ** 50 - 1);
    assert.ok(file.has(2 ** 50 - 1) && !file.has(2 ** 50));
  });

  it("a file with every other piece missing is no problem, however many pieces", () => {
    const pieces = 2 ** 19;
    const whole = S(r(0, pieces));
    let odd = RangeSet.empty;
    for (let from = 0; from < pieces; from += 2 ** 15) {
      const part = Array.from({ length: 2 ** 14 }, (_, index) =>
        r(from + 2 * index + 1, from + 2 * index + 2),
      );
      odd = odd.union(S(...part));
    }
    assert.equal(odd.count, pieces / 2);
    assert.equal(whole.subtract(odd).count, pieces / 2);
  });
});
