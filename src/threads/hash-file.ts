/**
 * Hashes an open file in a thread of its own, so that whoever serves or draws meanwhile does not
 * stand still.
 */

import { Worker } from "node:worker_threads";
import type { HashFile } from "../ports.js";
import type { FileManifest } from "../trust/manifest.js";
import type { HashOrder, HashReport } from "./hash-worker.js";

/**
 * Reads the file from start to end and says what it is. Rejects with the signal's reason when it is
 * aborted, and with the error of the read that failed, or when the file ends before `size`.
 */
export const hashFile: HashFile = async (request) => {
  const { fd, size, pieceBytes, onProgress, signal } = request;
  signal.throwIfAborted();
  // Run from source, as the tests do, the worker is a .ts file like this one.
  const extension = import.meta.url.endsWith(".ts") ? "ts" : "js";
  const order: HashOrder = { fd, size, pieceBytes };
  const worker = new Worker(new URL(`./hash-worker.${extension}`, import.meta.url), {
    workerData: order,
  });
  const ended = new AbortController();
  try {
    return await new Promise<FileManifest>((resolve, reject) => {
      worker.on("message", (report: HashReport) => {
        if (report.kind === "progress") onProgress(report.doneBytes);
        else if (report.kind === "done") resolve(report.manifest);
        else reject(Object.assign(new Error(report.message), { code: report.code }));
      });
      worker.once("error", reject);
      worker.once("exit", (code) => reject(new Error(`the hashing thread ended with ${code}`)));
      const onAbort = () => reject(signal.reason);
      signal.addEventListener("abort", onAbort, { once: true, signal: ended.signal });
    });
  } finally {
    ended.abort();
    worker.removeAllListeners();
    await worker.terminate();
  }
};
