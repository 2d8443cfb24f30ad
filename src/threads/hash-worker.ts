/** The thread that `hash-file.ts` starts: reads a descriptor of the process, reports, and ends. */

import { readSync } from "node:fs";
import { parentPort, workerData } from "node:worker_threads";
import { messageOf } from "../errors.js";
import { limits } from "../limits.js";
import type { FileManifest } from "../trust/manifest.js";
import { ManifestBuilder } from "../trust/manifest-builder.js";
import type { WorkerReport } from "./run-worker.js";

/** What the thread is to hash. */
export interface HashOrder {
  readonly fd: number;
  readonly size: number;
  readonly pieceBytes: number | undefined;
}

/** What it tells. */
export type HashReport = WorkerReport<FileManifest>;

const reportEveryBytes = 16 * limits.hashReadBytes;

function hash({ fd, size, pieceBytes }: HashOrder, report: (report: HashReport) => void): void {
  const builder = new ManifestBuilder(size, pieceBytes);
  const buffer = Buffer.allocUnsafeSlow(limits.hashReadBytes);
  let reported = 0;
  for (let offset = 0; offset < size; ) {
    const wanted = Math.min(buffer.length, size - offset);
    const length = readSync(fd, buffer, 0, wanted, offset);
    if (length === 0) throw new Error(`the file ended at byte ${offset} of ${size}`);
    builder.add(buffer.subarray(0, length));
    offset += length;
    if (offset - reported < reportEveryBytes) continue;
    reported = offset;
    report({ kind: "progress", doneBytes: offset });
  }
  report({ kind: "done", result: builder.finish() });
}

const report = (message: HashReport) => parentPort?.postMessage(message);
try {
  hash(workerData as HashOrder, report);
} catch (error) {
  const code = error instanceof Error && "code" in error ? String(error.code) : undefined;
  report({ kind: "failed", message: messageOf(error), code });
}
