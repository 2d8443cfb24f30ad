/** Chance for tests that can be replayed: `SEED=<n>` gives the same run again. */

/**
 * The seed of this run; put it into every assertion message. The same one each time unless `SEED`
 * says otherwise: a red run is then the change's doing. Looking further is for the night.
 */
export const seed = Number(process.env.SEED ?? 1) >>> 0;

/** Numbers that look random and follow from a seed (mulberry32). */
export class Seeded {
  #state: number;

  constructor(start: number) {
    this.#state = start >>> 0;
  }

  /** Uniform in [0, 1). */
  next(): number {
    this.#state = (this.#state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(this.#state ^ (this.#state >>> 15), this.#state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  }

  /** A whole number, at least 0 and below `limit`. */
  below(limit: number): number {
    return Math.floor(this.next() * limit);
  }

  /** One of a list, or `undefined` of an empty one. */
  pick<T>(list: readonly T[]): T | undefined {
    return list[this.below(list.length)];
  }
}
