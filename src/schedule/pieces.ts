/** Decides where pieces lie in a file: the bridge between piece indices and byte ranges. */

import { assert } from "../errors.js";
import type { Range, RangeSet } from "./range.js";

declare const pieceBrand: unique symbol;

/** A piece's place in the file, counted from 0; never a count, never bytes. */
export type PieceIndex = number & { readonly [pieceBrand]: true };

/** Takes a number for a piece's index. */
export function pieceIndex(index: number): PieceIndex {
  assert(Number.isSafeInteger(index) && index >= 0, `${index} is a piece index`);
  return index as PieceIndex;
}

/** How a file is divided. */
export interface Layout {
  /** Bytes in the file. */
  readonly size: number;
  /** Bytes in each piece but the last. */
  readonly pieceBytes: number;
  /** Pieces in the file. */
  readonly pieceCount: number;
}

/** The bytes of pieces `[start, end)`. */
export function bytesOf(layout: Layout, pieces: Range): Range {
  return {
    start: Math.min(pieces.start * layout.pieceBytes, layout.size),
    end: Math.min(pieces.end * layout.pieceBytes, layout.size),
  };
}

/** Bytes in one piece; the last one may be shorter. */
export function pieceLength(layout: Layout, piece: number): number {
  return Math.min(layout.pieceBytes, layout.size - piece * layout.pieceBytes);
}

/** Bytes in a set of pieces. */
export function byteCount(layout: Layout, pieces: RangeSet): number {
  let count = 0;
  for (const range of pieces.ranges) {
    const { start, end } = bytesOf(layout, range);
    count += end - start;
  }
  return count;
}
