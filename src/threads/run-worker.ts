/** Runs one order in a thread of its own: starts it, hears its reports, and ends it in any case. */

import { closeSync, openSync } from "node:fs";
import { Worker } from "node:worker_threads";
import { limits } from "../limits.js";

/** What a thread tells of an order. */
export type WorkerReport<Result, News = never> =
  | { readonly kind: "progress"; readonly doneBytes: number }
  | { readonly kind: "news"; readonly news: News }
  | { readonly kind: "done"; readonly result: Result }
  | { readonly kind: "failed"; readonly message: string; readonly code: string | undefined };

/** Who hears of an order. */
interface WorkerListening<News> {
  readonly onProgress: (doneBytes: number) => void;
  /** What the thread tells of its own accord, where it tells anything. */
  readonly onNews?: (news: News) => void;
  readonly signal: AbortSignal;
}

/**
 * Runs `order` in the thread of that file (beside this one, without its extension) and gives its
 * result. Rejects with the signal's reason when it is aborted, and with what the thread failed
 * with; the thread is gone by then. Without descriptors for a thread it rejects with EMFILE.
 */
export async function runWorker<Result, News = never>(
  worker: string,
  order: object,
  { onProgress, onNews, signal }: WorkerListening<News>,
): Promise<Result> {
  signal.throwIfAborted();
  checkDescriptors();
  const thread = startThread(worker, order);
  const ended = new AbortController();
  try {
    return await new Promise<Result>((resolve, reject) => {
      thread.on("message", (report: WorkerReport<Result, News>) => {
        if (report.kind === "progress") onProgress(report.doneBytes);
        else if (report.kind === "news") onNews?.(report.news);
        else if (report.kind === "done") resolve(report.result);
        else reject(Object.assign(new Error(report.message), { code: report.code }));
      });
      thread.once("error", reject);
      thread.once("exit", (code) => reject(new Error(`the hashing thread ended with ${code}`)));
      const onAbort = () => reject(signal.reason);
      signal.addEventListener("abort", onAbort, { once: true, signal: ended.signal });
    });
  } finally {
    ended.abort();
    thread.removeAllListeners();
    await thread.terminate();
  }
}

/** Starts the thread of that file (beside this one, without its extension). */
export function startThread(worker: string, order?: object): Worker {
  // Run from source, as the tests do, the worker is a .ts file like this one.
  const extension = import.meta.url.endsWith(".ts") ? "ts" : "js";
  return new Worker(new URL(`./${worker}.${extension}`, import.meta.url), { workerData: order });
}

/**
 * Throws EMFILE when too few descriptors are left. A thread that Node 20 cannot start for want of
 * them leaves one open for ever, so that a server that tries again and again never recovers.
 */
export function checkDescriptors(): void {
  const opened: number[] = [];
  try {
    while (opened.length < limits.threadDescriptors) opened.push(openSync("/dev/null", "r"));
  } finally {
    for (const fd of opened) closeSync(fd);
  }
}
