/** Hashes pieces of an open file on several cores: what an earlier run left may be very large. */

import { availableParallelism } from "node:os";
import type { HashPieces } from "../hash-ports.js";
import { limits } from "../limits.js";
import { pieceLength } from "../schedule/pieces.js";
import { digestBytes } from "../trust/digest.js";
import type { PieceDigests } from "../trust/merkle.js";
import type { PieceOrder } from "./piece-worker.js";
import { runWorker } from "./run-worker.js";

/**
 * Shares the pieces out among threads, each a part of the list as given, and gives their digests
 * in that order. All threads are gone when it settles: none may read a descriptor that was closed.
 */
export const hashPieces: HashPieces = async ({ fd, layout, pieces, onProgress, signal }) => {
  const abort = new AbortController();
  const either = AbortSignal.any([signal, abort.signal]);
  const shares = shared(pieces, layout.pieceBytes);
  const done = shares.map(() => 0);
  const digests: PieceDigests = new Uint8Array(pieces.length * digestBytes);
  const running = shares.map(async (share, index) => {
    const order: PieceOrder = { fd, layout, pieces: share.pieces };
    const told = (doneBytes: number) => {
      done[index] = doneBytes;
      onProgress(done.reduce((sum, bytes) => sum + bytes, 0));
    };
    const run = { onProgress: told, signal: either };
    digests.set(
      await runWorker<PieceDigests>("piece-worker", order, run),
      share.first * digestBytes,
    );
    told(share.pieces.reduce((sum, piece) => sum + pieceLength(layout, piece), 0));
  });
  try {
    await Promise.all(running);
    return digests;
  } finally {
    abort.abort();
    await Promise.allSettled(running);
  }
};

interface Share {
  /** Where it begins in the list. */
  readonly first: number;
  readonly pieces: readonly number[];
}

function shared(pieces: readonly number[], pieceBytes: number): Share[] {
  // A thread costs as much as hashing 50 to 80 MB; with less than twice that each they do not pay.
  const worth = Math.ceil((pieces.length * pieceBytes) / limits.rereadThreadBytes);
  const count = Math.max(1, Math.min(availableParallelism(), limits.rereadThreads, worth));
  const length = Math.ceil(pieces.length / count);
  return Array.from({ length: count }, (_, index) => {
    const first = index * length;
    return { first, pieces: pieces.slice(first, first + length) };
  });
}
