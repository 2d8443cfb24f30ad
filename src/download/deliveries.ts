/**
 * Remembers where each piece of the file came from, over all attempts of one download: so that
 * blame finds its replica even when only the whole digest tells that something is wrong, and a
 * receipt counts each byte once.
 */

import { assert } from "../errors.js";
import { type Layout, pieceLength } from "../schedule/pieces.js";
import type { RangeSet } from "../schedule/range.js";
import { digestBytes } from "../trust/digest.js";
import { leafAt } from "../trust/merkle.js";
import type { ReplicaId } from "../trust/quorum.js";

/** Where a piece came from: a replica, or what lay on this machine before. */
export type Source = ReplicaId | typeof earlierRun | typeof aSeed;

/** Stand for an earlier run's partial and for an old copy. No replica has such a name. */
export const earlierRun = "an earlier run";
export const aSeed = "a seed";

export class Deliveries {
  readonly #layout: Layout;
  readonly #sources: Source[] = [earlierRun];
  /** An index into the sources for each piece: two bytes, since there may be millions of pieces. */
  readonly #by: Uint16Array;
  readonly #digests: Uint8Array | undefined;

  /** `keepsDigests`: whether what came is remembered, too: when no piece list says it. */
  constructor(layout: Layout, keepsDigests: boolean) {
    this.#layout = layout;
    this.#by = new Uint16Array(layout.pieceCount);
    this.#digests = keepsDigests ? new Uint8Array(layout.pieceCount * digestBytes) : undefined;
  }

  /** Whether it can tell what came. */
  get keepsDigests(): boolean {
    return this.#digests !== undefined;
  }

  /** A piece with this leaf digest is on the disk, and came from there. */
  came(piece: number, from: Source, digest: Uint8Array): void {
    this.#by[piece] = this.#indexOf(from);
    this.#digests?.set(digest, piece * digestBytes);
  }

  /** These pieces are on the disk, right by the piece list, and came from there. */
  areFrom(from: Source, pieces: RangeSet): void {
    const index = this.#indexOf(from);
    for (const { start, end } of pieces.ranges) this.#by.fill(index, start, end);
  }

  /** A piece with this leaf digest was found on the disk. */
  found(piece: number, digest: Uint8Array): void {
    this.#digests?.set(digest, piece * digestBytes);
  }

  /** Where a piece came from. */
  sourceOf(piece: number): Source {
    return this.#sources[this.#by[piece] ?? 0] ?? earlierRun;
  }

  /** The leaf digest of a piece as it came. Only where no piece list says it. */
  digestOf(piece: number): Uint8Array {
    assert(this.#digests !== undefined, "digests are kept where there is no list");
    return leafAt(this.#digests, piece);
  }

  /** Bytes of the file from each source. */
  bytes(): ReadonlyMap<Source, number> {
    const bytes = new Map<Source, number>();
    for (let piece = 0; piece < this.#layout.pieceCount; piece++) {
      const source = this.sourceOf(piece);
      bytes.set(source, (bytes.get(source) ?? 0) + pieceLength(this.#layout, piece));
    }
    return bytes;
  }

  /**
   * What of it still holds for another state of the file, in which these pieces were found on the
   * disk. Where pieces have another length there, whoever delivered the first byte has the credit.
   */
  onto(layout: Layout, kept: RangeSet, keepsDigests: boolean): Deliveries {
    const next = new Deliveries(layout, keepsDigests);
    for (const { start, end } of kept.ranges) {
      for (let piece = start; piece < end; piece++) {
        const earlier = Math.floor((piece * layout.pieceBytes) / this.#layout.pieceBytes);
        next.#by[piece] = next.#indexOf(this.sourceOf(earlier));
      }
    }
    return next;
  }

  #indexOf(source: Source): number {
    const known = this.#sources.indexOf(source);
    return known === -1 ? this.#sources.push(source) - 1 : known;
  }
}
