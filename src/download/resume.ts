/**
 * Decides which pieces of an earlier run's partial are right. The journal is a hint; the bytes
 * decide.
 */

import type { JournalRecord, Partial } from "../ports.js";
import { type Layout, pieceIndex, pieceLength } from "../schedule/pieces.js";
import { RangeSet } from "../schedule/range.js";
import { leafAt, leafDigest, type PieceDigests } from "../trust/merkle.js";

/** Pieces that are on the disk and right. */
export interface Resumed {
  readonly verified: RangeSet;
  /** Those that the journal does not know yet. */
  readonly unrecorded: readonly JournalRecord[];
}

/**
 * Reads back what may be there and keeps what matches. With a journal of this manifest, only the
 * pieces that it claims; without one (lost, torn, or of another state of the file), every piece
 * that could be there, so that whatever is equal in both need not be fetched again.
 */
export async function resume(
  partial: Partial,
  layout: Layout,
  known: { readonly digests: PieceDigests | undefined; readonly signal: AbortSignal },
): Promise<Resumed> {
  const { digests, signal } = known;
  const { claimed } = partial.journal;
  if (claimed !== undefined) {
    const verified: number[] = [];
    for (const { piece, digest } of claimed) {
      signal.throwIfAborted();
      const expected = digests === undefined ? digest : leafAt(digests, piece);
      if (await isRight(partial, layout, piece, expected)) verified.push(piece);
    }
    return { verified: setOf(verified), unrecorded: [] };
  }
  if (digests === undefined || partial.leftoverBytes === 0) {
    return { verified: RangeSet.empty, unrecorded: [] };
  }
  return scan(partial, layout, { digests, signal });
}

/** Hashes every piece that the partial could hold, whatever the journal says. */
export async function scan(
  partial: Pick<Partial, "sink" | "leftoverBytes">,
  layout: Layout,
  { digests, signal }: { readonly digests: PieceDigests; readonly signal: AbortSignal },
): Promise<Resumed> {
  const unrecorded: JournalRecord[] = [];
  for (let piece = 0; piece < layout.pieceCount; piece++) {
    if (piece * layout.pieceBytes >= partial.leftoverBytes) break;
    signal.throwIfAborted();
    const expected = leafAt(digests, piece);
    if (await isRight(partial, layout, piece, expected)) {
      unrecorded.push({ piece: pieceIndex(piece), digest: expected });
    }
  }
  return { verified: setOf(unrecorded.map(({ piece }) => piece)), unrecorded };
}

async function isRight(
  { sink }: Pick<Partial, "sink">,
  layout: Layout,
  piece: number,
  expected: Uint8Array,
): Promise<boolean> {
  const bytes = Buffer.allocUnsafe(pieceLength(layout, piece));
  const length = await sink.read(piece * layout.pieceBytes, bytes);
  return length === bytes.length && Buffer.compare(leafDigest(bytes), expected) === 0;
}

function setOf(pieces: readonly number[]): RangeSet {
  return RangeSet.ofEach(pieces);
}
