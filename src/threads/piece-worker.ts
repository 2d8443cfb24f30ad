/** One of the threads that `hash-pieces.ts` starts: reads pieces, hashes each, and ends. */

import { readSync } from "node:fs";
import { parentPort, workerData } from "node:worker_threads";
import { messageOf } from "../errors.js";
import { limits } from "../limits.js";
import { type Layout, pieceLength } from "../schedule/pieces.js";
import { digestBytes } from "../trust/digest.js";
import { leafDigest, type PieceDigests } from "../trust/merkle.js";
import type { WorkerReport } from "./run-worker.js";

/** What the thread is to hash. */
export interface PieceOrder {
  readonly fd: number;
  readonly layout: Layout;
  readonly pieces: readonly number[];
}

const reportEveryBytes = 16 * limits.hashReadBytes;

function hash({ fd, layout, pieces }: PieceOrder, report: Report): void {
  const digests: PieceDigests = new Uint8Array(pieces.length * digestBytes);
  const buffer = Buffer.allocUnsafeSlow(Math.max(1, Math.min(layout.pieceBytes, layout.size)));
  let doneBytes = 0;
  let reported = 0;
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
    if (doneBytes - reported < reportEveryBytes) continue;
    reported = doneBytes;
    report({ kind: "progress", doneBytes });
  }
  report({ kind: "done", result: digests });
}

type Report = (report: WorkerReport<PieceDigests>) => void;

const report: Report = (message) => parentPort?.postMessage(message);
try {
  hash(workerData as PieceOrder, report);
} catch (error) {
  const code = error instanceof Error && "code" in error ? String(error.code) : undefined;
  report({ kind: "failed", message: messageOf(error), code });
}
