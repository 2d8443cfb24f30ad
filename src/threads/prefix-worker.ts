/** The thread that `prefix-digest.ts` starts: reads what is in place, waits for more, and ends. */

import { readSync } from "node:fs";
import { parentPort, workerData } from "node:worker_threads";
import { messageOf } from "../errors.js";
import { limits } from "../limits.js";
import { type Digest, DigestBuilder } from "../trust/digest.js";
import type { WorkerReport } from "./run-worker.js";

/** What the thread is to digest. */
export interface PrefixOrder {
  readonly fd: number;
  readonly size: number;
  /** One number, in memory that both threads share: bytes from the beginning that are in place. */
  readonly reached: BigInt64Array;
}

const reportEveryBytes = 16 * limits.hashReadBytes;

function follow({ fd, size, reached }: PrefixOrder, report: Report): void {
  const digest = new DigestBuilder();
  const buffer = Buffer.allocUnsafeSlow(limits.hashReadBytes);
  let reported = 0;
  for (let offset = 0; offset < size; ) {
    const inPlace = Number(Atomics.load(reached, 0));
    if (inPlace <= offset) {
      Atomics.wait(reached, 0, BigInt(inPlace));
      continue;
    }
    const wanted = Math.min(buffer.length, inPlace - offset);
    const length = readSync(fd, buffer, 0, wanted, offset);
    if (length === 0) throw new Error(`the file ended at byte ${offset} of ${size}`);
    digest.add(buffer.subarray(0, length));
    offset += length;
    if (offset - reported < reportEveryBytes) continue;
    reported = offset;
    report({ kind: "progress", doneBytes: offset });
  }
  report({ kind: "done", result: digest.finish() });
}

type Report = (report: WorkerReport<Digest>) => void;

const report: Report = (message) => parentPort?.postMessage(message);
try {
  follow(workerData as PrefixOrder, report);
} catch (error) {
  const code = error instanceof Error && "code" in error ? String(error.code) : undefined;
  report({ kind: "failed", message: messageOf(error), code });
}
