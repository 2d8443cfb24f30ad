/** One of the threads that `hash-pieces.ts` starts: reads pieces, hashes each, and ends. */

import { readSync } from "node:fs";
import { type Layout, pieceLength } from "../schedule/pieces.js";
import { digestBytes } from "../trust/digest.js";
import { leafDigest, type PieceDigests } from "../trust/merkle.js";
import { answerOrder, type OnProgress } from "./answer-order.js";

/** What the thread is to hash. */
export interface PieceOrder {
  readonly fd: number;
  readonly layout: Layout;
  readonly pieces: readonly number[];
}

function hash({ fd, layout, pieces }: PieceOrder, onProgress: OnProgress): PieceDigests {
  const digests: PieceDigests = new Uint8Array(pieces.length * digestBytes);
  const buffer = Buffer.allocUnsafeSlow(Math.max(1, Math.min(layout.pieceBytes, layout.size)));
  let doneBytes = 0;
  for (const [index, piece] of pieces.entries()) {
    const length = pieceLength(layout, piece);
    let read = 0;
    while (read < length) {
      const offset = piece * layout.pieceBytes + read;
      const more = readSync(fd, buffer, read, length - read, offset);
      // The file ends here; a shorter piece has another digest than a whole one.
      if (more === 0) break;
      read += more;
    }
    digests.set(leafDigest(buffer.subarray(0, read)), index * digestBytes);
    doneBytes += length;
    onProgress(doneBytes);
  }
  return digests;
}

answerOrder(hash);
