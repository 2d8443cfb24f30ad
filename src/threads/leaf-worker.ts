/** One of the threads that `leaf-hasher.ts` starts: hashes pieces in memory, until it is ended. */

import { parentPort } from "node:worker_threads";
import { leafDigests, type PieceDigests } from "../trust/merkle.js";

/** Pieces that lie one after the other in memory that both threads see. */
export interface LeafOrder {
  readonly id: number;
  readonly content: Uint8Array;
  readonly pieceBytes: number;
}

/** What they are. */
export interface LeafAnswer {
  readonly id: number;
  readonly leaves: PieceDigests;
}

parentPort?.on("message", ({ id, content, pieceBytes }: LeafOrder) => {
  const answer: LeafAnswer = { id, leaves: leafDigests(content, pieceBytes) };
  parentPort?.postMessage(answer);
});
