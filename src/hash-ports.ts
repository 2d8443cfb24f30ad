/** What the use cases need of hashing on other cores. */

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
 * The leaf digests of pieces of an open file, in the order asked for, computed on other cores. A
 * piece that is not all there gets a digest that no whole piece has. The descriptor must stay open
 * until this is over.
 */
export type HashPieces = (request: PiecesToHash & { readonly fd: number }) => Promise<PieceDigests>;

/** Hashes pieces in memory on other cores. */
export interface LeafHasher {
  /** At least so many bytes of memory that the other cores see: pieces must lie in such memory. */
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

/** What the prefixes of a file must be, and who is told whether they are. */
export interface PrefixComparison {
  /** SHA-256 of the file's first 1, 2, … pieces, 32 raw bytes each. */
  readonly prefixes: PieceDigests;
  /** The first `pieces` pieces, as they lie in the file, are right. */
  readonly onProven: (pieces: number) => void;
  /**
   * This piece is wrong. `again`: it is read again once it is reached again. `enough`: nothing more
   * is compared.
   */
  readonly onDoubted: (piece: number) => "again" | "enough";
  /** Reading failed: nothing more will be told. */
  readonly onFailed: () => void;
}

/** The running digest of a file that is being filled, from its beginning on. */
export interface PrefixDigest {
  /**
   * The first `bytes` bytes are in place and stay as they are. A small step may wait for the next
   * one, unless `when` is `now`.
   */
  reached(bytes: number, when?: "now"): void;
  /** Compares from now on with what prefixes must be; missing where that cannot be done. */
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
 * Digests an open file on another core while it is filled. `fd` is read once something is in place,
 * and must stay open until the digest is disposed of. `undefined` where it would gain nothing.
 */
export type StartPrefixDigest = (file: {
  readonly fd: number;
  readonly size: number;
  readonly pieceBytes: number;
}) => PrefixDigest | undefined;
