/**
 * Decides what a claim says and when it is well formed. Piece size is a function of file size,
 * fixed by the protocol, so that replicas with equal files make equal claims without talking to
 * each other.
 */

import { limits } from "../limits.js";
import { type Digest, parseDigest } from "./digest.js";
import type { PieceDigests } from "./merkle.js";

/** What one replica says the file is: one tuple, which stands or falls together. */
export interface Claim {
  /** Bytes in the file. */
  readonly size: number;
  /** The digest of the file's bytes. */
  readonly digest: Digest;
  /** The root of its piece tree; `undefined` from a replica that gives no pieces. */
  readonly root: Digest | undefined;
  /**
   * The root over the digests of its prefixes, one up to the end of each piece; `undefined` from a
   * replica that gives none. A help that stands beside the tuple: nobody is judged by it.
   */
  readonly prefixRoot?: Digest | undefined;
}

/** The identity of a file, as a quorum agreed on it. */
export interface Manifest extends Omit<Claim, "prefixRoot"> {
  /** Bytes in each piece but the last. */
  readonly pieceBytes: number;
  /** Pieces in the file; 0 for an empty one. */
  readonly pieceCount: number;
}

/** What a file really is: what a replica that holds it should claim, and its lists. */
export interface FileManifest extends Manifest {
  readonly root: Digest;
  readonly pieces: PieceDigests;
  readonly prefixRoot: Digest;
  /** For each piece, the digest of the file's bytes from 0 to its end, 32 raw bytes each. */
  readonly prefixes: PieceDigests;
}

const smallestPieceBytes = 64 * 1024;
const largestPieceBytes = 4 * 1024 * 1024;
const piecesAimedAt = 4096;

/** Bytes in a piece of a file of this size: clamp(nextPow2(size / 4096), 64 KiB, 4 MiB). */
export function pieceBytesFor(size: number): number {
  let bytes = smallestPieceBytes;
  while (bytes < largestPieceBytes && bytes * piecesAimedAt < size) bytes *= 2;
  return bytes;
}

/** Fills in what follows from a claim. */
export function manifestOf(claim: Claim): Manifest {
  const pieceBytes = pieceBytesFor(claim.size);
  const { size, digest, root } = claim;
  return { size, digest, root, pieceBytes, pieceCount: Math.ceil(size / pieceBytes) };
}

/** A claim as it came over a wire, with nothing checked. */
export interface RawClaim {
  readonly size: bigint;
  readonly digest: string;
  readonly pieceBytes: bigint;
  readonly root: string;
  readonly prefixRoot: string;
}

/**
 * Reads a claim from a stranger; gives the reason, as text, when it is not one.
 * A piece size other than the protocol's is refused: it could not be compared with anybody else's.
 */
export function parseClaim(raw: RawClaim): Claim | { readonly problem: string } {
  if (raw.size < 0n || raw.size > BigInt(limits.fileBytes)) {
    return { problem: `a size of ${raw.size} bytes is more than this client takes` };
  }
  const size = Number(raw.size);
  const digest = parseDigest(raw.digest);
  if (digest === undefined) return { problem: "its digest is not sha256:<64 hexadecimal digits>" };
  if (raw.root === "") return { size, digest, root: undefined };
  const root = parseDigest(raw.root);
  if (root === undefined)
    return { problem: "its piece root is not sha256:<64 hexadecimal digits>" };
  if (raw.pieceBytes !== BigInt(pieceBytesFor(size))) {
    return { problem: `its pieces have ${raw.pieceBytes} bytes, not ${pieceBytesFor(size)}` };
  }
  if (raw.prefixRoot === "") return { size, digest, root };
  const prefixRoot = parseDigest(raw.prefixRoot);
  if (prefixRoot === undefined)
    return { problem: "its prefix root is not sha256:<64 hexadecimal digits>" };
  return { size, digest, root, prefixRoot };
}

/** Whether two claims are the same tuple, whatever stands beside it. */
export function sameClaim(left: Claim, right: Claim): boolean {
  return left.size === right.size && left.digest === right.digest && left.root === right.root;
}
