/**
 * The piece tree: RFC 6962 over SHA-256. A leaf is SHA-256(0x00 ‖ piece), a node is SHA-256(0x01 ‖
 * left ‖ right), a tree of n > 1 leaves splits at the largest power of two below n, and the empty
 * tree is SHA-256 of nothing. The prefixes keep a node from passing for a piece.
 */

import { createHash, type Hash } from "node:crypto";
import { assert } from "../errors.js";
import { type Digest, digestBytes, digestFromRaw, rawOf } from "./digest.js";

const leafPrefix = Uint8Array.of(0);
const nodePrefix = Uint8Array.of(1);

/** The leaf digests of a file's pieces, 32 raw bytes each, one after the other. */
export type PieceDigests = Uint8Array;

/** The leaf digest (32 raw bytes) of one whole piece. */
export function leafDigest(piece: Uint8Array): Uint8Array {
  return createHash("sha256").update(leafPrefix).update(piece).digest();
}

/** The leaf digests of pieces that lie one after the other; the last one may be shorter. */
export function leafDigests(content: Uint8Array, pieceBytes: number): PieceDigests {
  const digests = new Uint8Array(Math.ceil(content.length / pieceBytes) * digestBytes);
  for (let piece = 0; piece * pieceBytes < content.length; piece++) {
    const bytes = content.subarray(piece * pieceBytes, (piece + 1) * pieceBytes);
    digests.set(leafDigest(bytes), piece * digestBytes);
  }
  return digests;
}

/** Takes a piece's bytes in parts and gives its leaf digest (32 raw bytes) at the end. */
export function startLeaf(): Hash {
  return createHash("sha256").update(leafPrefix);
}

/** How many leaves a list holds. */
export function leafCount(digests: PieceDigests): number {
  return digests.length / digestBytes;
}

/** The leaf digest of one piece, as a view into the list. */
export function leafAt(digests: PieceDigests, piece: number): Uint8Array {
  assert(piece >= 0 && piece < leafCount(digests), `piece ${piece} is in the list`);
  return digests.subarray(piece * digestBytes, (piece + 1) * digestBytes);
}

/** Whether the last prefix is the file; of an empty one there is none. */
export function endsIn(prefixes: PieceDigests, digest: Digest): boolean {
  const last = leafCount(prefixes) - 1;
  return last < 0 || digestFromRaw(leafAt(prefixes, last)) === digest;
}

/** The leaf digests of consecutive pieces, as a view into the list. */
export function leavesOf(
  digests: PieceDigests,
  { start, end }: { readonly start: number; readonly end: number },
): PieceDigests {
  assert(start >= 0 && end <= leafCount(digests), `pieces ${start} to ${end} are in the list`);
  return digests.subarray(start * digestBytes, end * digestBytes);
}

/**
 * The root of the tree over these leaves.
 *
 * Joining equal-sized neighbours as they come, and what is left from the right at the end, gives
 * the same tree as the recursive split at the largest power of two, in one pass and without
 * recursion.
 */
export function rootOf(digests: PieceDigests): Digest {
  assert(digests.length % digestBytes === 0, "a piece list is a whole number of digests");
  const count = leafCount(digests);
  if (count === 0) return digestFromRaw(createHash("sha256").digest());
  const stack: Uint8Array[] = [];
  for (let piece = 0; piece < count; piece++) {
    let node = leafAt(digests, piece);
    for (let leaves = piece + 1; leaves % 2 === 0; leaves /= 2) node = join(stack.pop(), node);
    stack.push(node);
  }
  let root = stack.pop();
  while (stack.length > 0) root = join(stack.pop(), root);
  assert(root !== undefined, "a tree with leaves has a root");
  return digestFromRaw(root);
}

/** The leaf digests of a file of a single piece: the root of a tree of one leaf is that leaf. */
export function onlyLeaf(root: Digest): PieceDigests {
  return rawOf(root);
}

function join(left: Uint8Array | undefined, right: Uint8Array | undefined): Uint8Array {
  assert(left !== undefined && right !== undefined, "a node has two children");
  return createHash("sha256").update(nodePrefix).update(left).update(right).digest();
}
