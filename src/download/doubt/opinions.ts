/**
 * Who said what of which piece, when no piece list says what is right: where opinions differ
 * somebody is wrong, and a set of suspects is an explanation when nobody else contradicts another.
 * It only keeps the book and draws conclusions.
 */

import { assert } from "../../errors.js";
import { limits } from "../../limits.js";
import type { Digest } from "../../trust/digest.js";
import type { Source } from "../deliveries.js";

/** Sources that are taken for wrong, to see whether the rest fits together. */
export type Suspects = ReadonlySet<Source>;

/** What most of those who are no suspects say of a piece. */
export interface Verdict {
  readonly digest: Digest;
  readonly supporters: readonly Source[];
  /** By how many it is ahead of the next. */
  readonly lead: number;
}

export class Opinions {
  readonly #opinions: Map<Source, Digest>[];
  /** Pieces on which two sources differ, counted for each source. */
  readonly #contested = new Set<number>();

  constructor(pieceCount: number) {
    this.#opinions = Array.from({ length: pieceCount }, () => new Map());
  }

  /** A source delivered a piece with this leaf digest. What it says last counts. */
  add(piece: number, source: Source, digest: Digest): void {
    const opinions = this.#of(piece);
    opinions.set(source, digest);
    if (new Set(opinions.values()).size > 1) this.#contested.add(piece);
  }

  /** What was said of a piece. */
  of(piece: number): ReadonlyMap<Source, Digest> {
    return this.#of(piece);
  }

  /** Pieces about which opinions differ. */
  get contested(): readonly number[] {
    return [...this.#contested];
  }

  /** What most say, suspects aside; what is `there` wins a tie. `undefined` when nobody is left. */
  verdict(piece: number, suspects: Suspects, there?: Digest): Verdict | undefined {
    const supporters = new Map<Digest, Source[]>();
    for (const [source, digest] of this.of(piece)) {
      if (suspects.has(source)) continue;
      supporters.set(digest, [...(supporters.get(digest) ?? []), source]);
    }
    const ranked = [...supporters].sort(([left, ours], [right, theirs]) => {
      return theirs.length - ours.length || Number(right === there) - Number(left === there);
    });
    const [first, second] = ranked;
    if (first === undefined) return undefined;
    const lead = first[1].length - (second?.[1].length ?? 0);
    return { digest: first[0], supporters: first[1], lead };
  }

  /**
   * Sets of suspects that explain every contradiction, the smallest first, those with the most
   * contradictions before others. Begins with nobody: then the many are right about each piece.
   */
  explanations(): Suspects[] {
    const rivals = this.#rivals();
    const order = [...rivals.keys()].slice(0, limits.rivals);
    const sets = subsetsOf(order).filter((suspects) => {
      return order.every((source) => {
        return (
          suspects.has(source) || [...(rivals.get(source) ?? [])].every((x) => suspects.has(x))
        );
      });
    });
    return [new Set(), ...sets.sort((left, right) => left.size - right.size)];
  }

  /** Whether two who are no suspects contradict each other. */
  isContradicted(suspects: Suspects): boolean {
    return this.contested.some((piece) => {
      const said = [...this.of(piece)].filter(([source]) => !suspects.has(source));
      return new Set(said.map(([, digest]) => digest)).size > 1;
    });
  }

  #of(piece: number): Map<Source, Digest> {
    const opinions = this.#opinions[piece];
    assert(opinions !== undefined, `piece ${piece} is of the file`);
    return opinions;
  }

  /** Who contradicts whom; the source with the most contradictions first. */
  #rivals(): Map<Source, Set<Source>> {
    const rivals = new Map<Source, Set<Source>>();
    const times = new Map<Source, number>();
    for (const piece of this.#contested) {
      const said = [...this.of(piece)];
      for (const [source, digest] of said) {
        const against = said.filter(([, other]) => other !== digest).map(([other]) => other);
        if (against.length === 0) continue;
        times.set(source, (times.get(source) ?? 0) + against.length);
        rivals.set(source, new Set([...(rivals.get(source) ?? []), ...against]));
      }
    }
    return new Map(
      [...rivals].sort(([left], [right]) => (times.get(right) ?? 0) - (times.get(left) ?? 0)),
    );
  }
}

/** All but the empty one; those with the earlier members first. */
function subsetsOf(sources: readonly Source[]): Set<Source>[] {
  const [first, ...rest] = sources;
  if (first === undefined) return [];
  const without = subsetsOf(rest);
  return [new Set([first]), ...without.map((set) => new Set([first, ...set])), ...without];
}
