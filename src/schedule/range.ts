/** The algebra of half-open ranges: everything the schedule knows is a set of them. */

import { assert } from "../errors.js";

/** `[start, end)`; what it counts (bytes or pieces) is said where it is used. */
export interface Range {
  readonly start: number;
  readonly end: number;
}

/** Whether anything is in both. */
export function overlap(one: Range, other: Range): boolean {
  return one.start < other.end && other.start < one.end;
}

/** An immutable set of integers, kept as sorted ranges that neither touch nor overlap. */
export class RangeSet {
  static readonly empty = new RangeSet([]);
  readonly ranges: readonly Range[];

  private constructor(ranges: readonly Range[]) {
    this.ranges = ranges;
  }

  /** The set of everything in these ranges, which may come in any order and overlap. */
  static of(...ranges: readonly Range[]): RangeSet {
    return RangeSet.#joined(ranges);
  }

  /** The set of these integers. Not spread into arguments: 200,000 of them overflow the stack. */
  static ofEach(values: readonly number[]): RangeSet {
    return RangeSet.#joined(values.map((value) => ({ start: value, end: value + 1 })));
  }

  static #joined(ranges: readonly Range[]): RangeSet {
    const sorted = ranges.filter(({ start, end }) => start < end);
    sorted.sort((left, right) => left.start - right.start);
    const joined: Range[] = [];
    for (const range of sorted) {
      const last = joined.at(-1);
      if (last === undefined || range.start > last.end) joined.push(range);
      else joined[joined.length - 1] = { start: last.start, end: Math.max(last.end, range.end) };
    }
    return joined.length === 0 ? RangeSet.empty : new RangeSet(joined);
  }

  /** How many integers are in it. */
  get count(): number {
    let count = 0;
    for (const { start, end } of this.ranges) count += end - start;
    return count;
  }

  get isEmpty(): boolean {
    return this.ranges.length === 0;
  }

  /** Whether it holds `value`. */
  has(value: number): boolean {
    return this.ranges.some(({ start, end }) => start <= value && value < end);
  }

  /** Whether anything of this range is in it. */
  overlaps(range: Range): boolean {
    return this.ranges.some((own) => overlap(own, range));
  }

  /** Everything in either. */
  union(other: RangeSet): RangeSet {
    if (other.isEmpty) return this;
    return this.isEmpty ? other : RangeSet.#joined([...this.ranges, ...other.ranges]);
  }

  /** Everything in this one and not in the other. */
  subtract(other: RangeSet): RangeSet {
    const left: Range[] = [];
    let from = 0;
    for (const range of this.ranges) {
      let start = range.start;
      while ((other.ranges[from]?.end ?? Number.POSITIVE_INFINITY) <= range.start) from++;
      for (let index = from; index < other.ranges.length; index++) {
        const hole = other.ranges[index];
        if (hole === undefined || hole.start >= range.end) break;
        if (hole.start > start) left.push({ start, end: hole.start });
        start = Math.max(start, hole.end);
      }
      if (start < range.end) left.push({ start, end: range.end });
    }
    return RangeSet.#joined(left);
  }

  /** Everything in both. */
  intersect(other: RangeSet): RangeSet {
    return this.subtract(this.subtract(other));
  }

  /** The `count` smallest integers, and the rest. */
  takeFirst(count: number): readonly [taken: RangeSet, rest: RangeSet] {
    assert(count >= 0, "a count is not negative");
    const taken: Range[] = [];
    let missing = count;
    for (const { start, end } of this.ranges) {
      if (missing === 0) break;
      const length = Math.min(missing, end - start);
      taken.push({ start, end: start + length });
      missing -= length;
    }
    const first = RangeSet.#joined(taken);
    return [first, this.subtract(first)];
  }

  /** The `count` largest integers, and the rest. */
  takeLast(count: number): readonly [taken: RangeSet, rest: RangeSet] {
    const [rest, taken] = this.takeFirst(Math.max(0, this.count - count));
    return [taken, rest];
  }
}
