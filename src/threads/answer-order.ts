/** What every thread does with its order: runs it, tells how far it is, and how it ended. */

import { parentPort, workerData } from "node:worker_threads";
import { messageOf } from "../errors.js";
import { limits } from "../limits.js";
import type { WorkerReport } from "./run-worker.js";

const reportEveryBytes = 16 * limits.hashReadBytes;

/** Told how many bytes are done, as often as one likes: the thread tells of it more seldom. */
export type OnProgress = (doneBytes: number) => void;

/** Runs the order that `runWorker` gave this thread. */
export function answerOrder<Order, Result>(
  run: (order: Order, onProgress: OnProgress) => Result,
): void {
  const report = (message: WorkerReport<Result>) => parentPort?.postMessage(message);
  let reported = 0;
  const onProgress: OnProgress = (doneBytes) => {
    if (doneBytes - reported < reportEveryBytes) return;
    reported = doneBytes;
    report({ kind: "progress", doneBytes });
  };
  try {
    report({ kind: "done", result: run(workerData as Order, onProgress) });
  } catch (error) {
    const code = error instanceof Error && "code" in error ? String(error.code) : undefined;
    report({ kind: "failed", message: messageOf(error), code });
  }
}
