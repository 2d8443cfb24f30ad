/** What the thread that digests a prefix is told, and tells. */

/** What the thread is to digest. */
export interface PrefixOrder {
  readonly fd: number;
  readonly size: number;
  readonly pieceBytes: number;
  /** Numbers in memory that both threads share, by `PrefixState`. */
  readonly state: BigInt64Array;
  /** What the file's first 1, 2, … pieces must be, in shared memory: where it `isCompared`. */
  readonly prefixes: Uint8Array;
}

/** What stands where in the shared numbers. */
export const prefixState = {
  /** Bytes from the beginning that are in place. */
  reached: 0,
  /** Whether what is read is compared: 0 or 1. */
  isCompared: 1,
  /** How many doubts were answered. */
  answered: 2,
} as const;

/** What the thread tells of its own accord. */
export type PrefixNews =
  /** So many pieces from the beginning are what they must be. */
  | { readonly kind: "proven"; readonly pieces: number }
  /** This one is not; it waits for an answer, and reads the piece again when it is in place. */
  | { readonly kind: "doubted"; readonly piece: number };
