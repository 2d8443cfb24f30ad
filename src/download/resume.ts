/**
 * Decides which pieces of an earlier run's partial are right. The journal is a hint; the bytes
 * decide.
 */

import type { PiecesToHash } from "../hash-ports.js";
import { limits } from "../limits.js";
import type { JournalRecord, PartialOutput } from "../ports.js";
import { type Layout, type PieceIndex, pieceIndex, pieceLength } from "../schedule/pieces.js";
import { RangeSet } from "../schedule/range.js";
import { digestBytes } from "../trust/digest.js";
import { leafAt, leafDigest, type PieceDigests } from "../trust/merkle.js";
import type { OnEvent } from "./progress.js";

/** Pieces that are on the disk and right. */
export interface Resumed {
  readonly verified: RangeSet;
  /** What the journal says of them. */
  readonly recorded: readonly JournalRecord[];
  /** Those that the journal does not know yet. */
  readonly unrecorded: readonly JournalRecord[];
}

/** Who may end it, and who is told how far it is. */
interface Listening {
  readonly signal: AbortSignal;
  readonly onEvent?: OnEvent | undefined;
}

/**
 * Reads back what may be there and keeps what matches. With a journal of this manifest, only the
 * pieces that it claims; without one (lost, torn, or of another state of the file), every piece
 * that could be there, so that whatever is equal in both need not be fetched again.
 */
export async function resume(
  partial: PartialOutput,
  layout: Layout,
  known: Listening & { readonly digests: PieceDigests | undefined },
): Promise<Resumed> {
  const { digests } = known;
  const { sink, journal } = partial;
  const { claimed } = journal;
  // An earlier run may have been killed before it synced, and the disk may have refused its bytes
  // since. They are read right from memory then, until that is needed: only a sync tells.
  if (partial.leftoverBytes > 0) await journal.sync(() => sink.sync());
  if (claimed !== undefined) {
    // What the quorum says of a piece stands above what we once wrote down of it.
    const expected = claimed.map(({ piece, digest }) => {
      return { piece, digest: digests === undefined ? digest : leafAt(digests, piece) };
    });
    const recorded = await thoseThatAreRight(partial, layout, expected, known);
    // Some may be ahead of their bytes: of those a power cut is to blame, and nobody else.
    const lost = setOf(expected).subtract(setOf(recorded));
    if (!lost.isEmpty) await journal.disown(piecesOf(lost));
    return { verified: setOf(recorded), recorded, unrecorded: [] };
  }
  if (digests === undefined || partial.leftoverBytes === 0) {
    return { verified: RangeSet.empty, recorded: [], unrecorded: [] };
  }
  return scan(partial, layout, { ...known, digests });
}

/** Hashes every piece that the partial could hold, whatever the journal says. */
async function scan(
  partial: Pick<PartialOutput, "sink" | "leftoverBytes" | "hashPieces">,
  layout: Layout,
  known: Listening & { readonly digests: PieceDigests },
): Promise<Resumed> {
  const count = Math.min(layout.pieceCount, Math.ceil(partial.leftoverBytes / layout.pieceBytes));
  const expected = Array.from({ length: count }, (_, piece): JournalRecord => {
    return { piece: pieceIndex(piece), digest: leafAt(known.digests, piece) };
  });
  const unrecorded = await thoseThatAreRight(partial, layout, expected, known);
  return { verified: setOf(unrecorded), recorded: [], unrecorded };
}

/** Believes nothing: a reserved piece that was never written reads as zeros, and looks like one. */
async function thoseThatAreRight(
  partial: Pick<PartialOutput, "sink" | "hashPieces">,
  layout: Layout,
  expected: readonly JournalRecord[],
  listening: Listening,
): Promise<readonly JournalRecord[]> {
  const pieces = expected.map(({ piece }) => piece);
  const found = await hashed(partial, layout, pieces, listening);
  return expected.filter(({ digest }, index) => {
    return Buffer.compare(leafAt(found, index), digest) === 0;
  });
}

/** The pieces that the disk does not hold as they are expected. */
export async function differing(
  partial: Pick<PartialOutput, "sink" | "hashPieces">,
  layout: Layout,
  { expected, ...listening }: Listening & { readonly expected: readonly JournalRecord[] },
): Promise<RangeSet> {
  const right = await thoseThatAreRight(partial, layout, expected, listening);
  return setOf(expected).subtract(setOf(right));
}

/** The leaf digests of all that is on the disk. */
export function leavesOf(
  partial: Pick<PartialOutput, "sink" | "hashPieces">,
  layout: Layout,
  listening: Listening,
): Promise<PieceDigests> {
  const all = Array.from({ length: layout.pieceCount }, (_, piece) => pieceIndex(piece));
  return hashed(partial, layout, all, listening);
}

async function hashed(
  { sink, hashPieces }: Pick<PartialOutput, "sink" | "hashPieces">,
  layout: Layout,
  pieces: PiecesToHash["pieces"],
  { signal, onEvent = () => {} }: Listening,
): Promise<PieceDigests> {
  const totalBytes = pieces.reduce((sum, piece) => sum + pieceLength(layout, piece), 0);
  if (totalBytes === 0) return new Uint8Array(0);
  const onProgress = (doneBytes: number) => onEvent({ event: "rereading", doneBytes, totalBytes });
  const request = { layout, pieces, onProgress, signal };
  const isLong = totalBytes >= limits.threadedRereadBytes;
  return isLong && hashPieces !== undefined ? hashPieces(request) : hashHere(sink, request);
}

async function hashHere(
  sink: Pick<PartialOutput["sink"], "read">,
  { layout, pieces, onProgress, signal }: PiecesToHash,
): Promise<PieceDigests> {
  const digests = new Uint8Array(pieces.length * digestBytes);
  const buffer = Buffer.allocUnsafe(Math.min(layout.pieceBytes, layout.size));
  let doneBytes = 0;
  for (const [index, piece] of pieces.entries()) {
    signal.throwIfAborted();
    const wanted = buffer.subarray(0, pieceLength(layout, piece));
    const length = await sink.read(piece * layout.pieceBytes, wanted);
    digests.set(leafDigest(wanted.subarray(0, length)), index * digestBytes);
    doneBytes += wanted.length;
    onProgress(doneBytes);
  }
  return digests;
}

/** The pieces of a set, in order. */
export function piecesOf({ ranges }: RangeSet): PieceIndex[] {
  return ranges.flatMap(({ start, end }) =>
    Array.from({ length: end - start }, (_, index) => pieceIndex(start + index)),
  );
}

function setOf(records: readonly JournalRecord[]): RangeSet {
  return RangeSet.ofEach(records.map(({ piece }) => piece));
}
