/** What the use cases need of those who hash on other cores. */

import type { Layout } from "./schedule/pieces.js";
import type { Digest } from "./trust/digest.js";
import type { PieceDigests } from "./trust/merkle.js";

/** Which pieces are to be hashed. */
export interface PiecesToHash {
  readonly layout: Layout;
  readonly pieces: readonly number[];
  readonly onProgress: (doneBytes: number) => void;
  /** It rejects with the signal's reason when it is aborted. */
  readonly signal: AbortSignal;
}

/**
 * Says what pieces of an open file are, in the order asked for, on other cores than the one that
 * asks. A piece that is not all there gets another digest than a whole one. The descriptor must
 * stay open until this is over.
 */
export type HashPieces = (request: PiecesToHash & { readonly fd: number }) => Promise<PieceDigests>;

/** Says what pieces in memory are, on other cores than the one that asks. */
export interface LeafHasher {
  /** Memory that the other cores see: pieces must lie in it. At least so many bytes. */
  memory(bytes: number): Uint8Array;
  /**
   * The leaf digests of pieces that lie one after the other, the last of which may be shorter. The
   * content must stay as it is until this resolves; it does not reject.
   */
  leaves(content: Uint8Array, pieceBytes: number): Promise<PieceDigests>;
  /** Once it resolves, nothing reads the memory any more. */
  [Symbol.asyncDispose](): Promise<void>;
}

/**
 * Starts to hash pieces of a file on other cores, in so many threads, or in as many as there are
 * cores for; `undefined` where that would gain nothing.
 */
export type StartLeafHasher = (wanted: {
  readonly size: number;
  readonly threads: number | undefined;
}) => LeafHasher | undefined;

/** What a file's first pieces must be, and who hears whether they are. */
export interface PrefixComparison {
  /** SHA-256 of the file's first 1, 2, … pieces, 32 raw bytes each. */
  readonly prefixes: PieceDigests;
  /** So many pieces from the beginning, as they lie there, are right. */
  readonly onProven: (pieces: number) => void;
  /** This one is not. `again`: it is read once it is reached anew. `enough`: no more comparing. */
  readonly onDoubted: (piece: number) => "again" | "enough";
  /** Nobody will say any more. */
  readonly onFailed: () => void;
}

/** The digest of a file, in the making while the file is being filled. */
export interface PrefixDigest {
  /** So many bytes from its beginning are in place, and stay so. Little more waits, but `now`. */
  reached(bytes: number, when?: "now"): void;
  /** Compares what it digests from now on; without it, nobody can be asked to. */
  compare?(comparison: PrefixComparison): void;
  /**
   * Resolves once the whole file was reached and read. Rejects with what reading failed with, with
   * the signal's reason when it is aborted.
   */
  digest(request: {
    readonly onProgress: (doneBytes: number) => void;
    readonly signal: AbortSignal;
  }): Promise<Digest>;
  /** Once it resolves, nothing reads the file any more. */
  [Symbol.asyncDispose](): Promise<void>;
}

/**
 * Digests an open file on another core, as it is filled; the descriptor must outlive that, and is
 * asked for once something is in place. `undefined` where that would gain nothing.
 */
export type StartPrefixDigest = (file: {
  readonly fd: number;
  readonly size: number;
  readonly pieceBytes: number;
}) => PrefixDigest | undefined;
