/** Checks pieces in memory against the piece list. */

import type { LeafHasher } from "../hash-ports.js";
import { ReplicaFault } from "../ports.js";
import { digestBytes, digestFromRaw } from "../trust/digest.js";
import { leafAt, leafCount, leafDigests, type PieceDigests } from "../trust/merkle.js";

/** Consecutive pieces, one after the other; the last one may be shorter. */
export interface PiecesInMemory {
  readonly first: number;
  readonly content: Uint8Array;
  readonly pieceBytes: number;
}

/** The leaf digests of those that are right before one is not, and why that one is not. */
export interface Checked {
  readonly leaves: PieceDigests;
  readonly wrong: ReplicaFault | undefined;
}

/**
 * Says which of these pieces are right. `expected`: what all pieces of the file must be;
 * `undefined` when nobody can say, and each is what it is. `hasher`: for what lies in its memory.
 */
export async function checkPieces(
  { first, content, pieceBytes }: PiecesInMemory,
  expected: PieceDigests | undefined,
  { hasher, atMs }: { readonly hasher: LeafHasher | undefined; readonly atMs: number },
): Promise<Checked> {
  const hashed = hasher?.leaves(content, pieceBytes);
  const leaves = hashed === undefined ? leafDigests(content, pieceBytes) : await hashed;
  if (expected === undefined) return { leaves, wrong: undefined };
  for (let index = 0; index < leafCount(leaves); index++) {
    const due = leafAt(expected, first + index);
    const leaf = leafAt(leaves, index);
    if (Buffer.compare(due, leaf) === 0) continue;
    const wrong = wrongPiece(first + index, { due, leaf, atMs });
    return { leaves: leaves.subarray(0, index * digestBytes), wrong };
  }
  return { leaves, wrong: undefined };
}

function wrongPiece(
  piece: number,
  { due, leaf, atMs }: { due: Uint8Array; leaf: Uint8Array; atMs: number },
): ReplicaFault {
  const evidence = { piece, expected: digestFromRaw(due), actual: digestFromRaw(leaf), atMs };
  return new ReplicaFault({ kind: "corrupt", detail: `piece ${piece} is wrong`, evidence });
}
