/**
 * Digests a file in a thread of its own while it is being filled: it follows what is in place from
 * the file's beginning, so that little is left to read when the last byte has come.
 */

import { availableParallelism } from "node:os";
import { limits } from "../limits.js";
import type { PrefixDigest, StartPrefixDigest } from "../ports.js";
import type { Digest } from "../trust/digest.js";
import type { PrefixOrder } from "./prefix-worker.js";
import { runWorker } from "./run-worker.js";

/** Starts the thread, for a large file on more than one core. */
export const startPrefixDigest: StartPrefixDigest = (file) => {
  const isWorthIt = file.size >= limits.prefixDigestBytes && availableParallelism() > 1;
  return isWorthIt ? prefixDigest(file) : undefined;
};

/** The thread starts once a first stretch is in place: before that, others need the cores. */
export function prefixDigest(file: Parameters<StartPrefixDigest>[0]): PrefixDigest {
  const { size } = file;
  const inPlace = new BigInt64Array(new SharedArrayBuffer(8));
  const abort = new AbortController();
  let onProgress: (doneBytes: number) => void = () => {};
  let running: Promise<Digest> | undefined;
  const start = () => {
    const order = { fd: file.fd, size, reached: inPlace } satisfies PrefixOrder;
    running ??= runWorker("prefix-worker", order, {
      onProgress: (done) => onProgress(done),
      signal: abort.signal,
    });
    return running;
  };
  let told = 0;
  return {
    reached(bytes) {
      // Each wakes a thread, which costs more than hashing a single piece.
      if (bytes - told < limits.prefixStepBytes && bytes < size) return;
      told = bytes;
      Atomics.store(inPlace, 0, BigInt(bytes));
      Atomics.notify(inPlace, 0);
      // Whoever asks for the digest hears of it; nobody has to ask.
      start().catch(() => {});
    },
    async digest(request) {
      const end = () => abort.abort(request.signal.reason);
      request.signal.addEventListener("abort", end, { once: true });
      onProgress = request.onProgress;
      try {
        request.signal.throwIfAborted();
        return await start();
      } finally {
        request.signal.removeEventListener("abort", end);
      }
    },
    async [Symbol.asyncDispose]() {
      abort.abort();
      await running?.catch(() => {});
    },
  };
}
