/**
 * Digests a file in a thread of its own while it is being filled: it follows what is in place from
 * the file's beginning, so that little is left to read when the last byte has come.
 */

import { availableParallelism } from "node:os";
import type { PrefixComparison, PrefixDigest, StartPrefixDigest } from "../hash-ports.js";
import { limits } from "../limits.js";
import { type Digest, digestBytes } from "../trust/digest.js";
import { type PrefixNews, type PrefixOrder, prefixState } from "./prefix-order.js";
import { runWorker } from "./run-worker.js";

/** Starts the thread, for a large file on more than one core. */
export const startPrefixDigest: StartPrefixDigest = (file) => {
  const isWorthIt = file.size >= limits.prefixDigestBytes && availableParallelism() > 1;
  return isWorthIt ? prefixDigest(file) : undefined;
};

/** The thread starts once a first part is in place: before that, others need the cores. */
export function prefixDigest(file: Parameters<StartPrefixDigest>[0]): PrefixDigest {
  return new PrefixThread(file);
}

class PrefixThread implements PrefixDigest {
  readonly #file: Parameters<StartPrefixDigest>[0];
  readonly #order: Omit<PrefixOrder, "fd">;
  readonly #abort = new AbortController();
  #onProgress: (doneBytes: number) => void = () => {};
  #running: Promise<Digest> | undefined;
  #toldBytes = 0;
  #comparison: PrefixComparison | undefined;
  #doubts = 0;

  constructor(file: Parameters<StartPrefixDigest>[0]) {
    const { size, pieceBytes } = file;
    this.#file = file;
    const count = Math.ceil(size / pieceBytes);
    this.#order = {
      size,
      pieceBytes,
      state: new BigInt64Array(new SharedArrayBuffer(3 * BigInt64Array.BYTES_PER_ELEMENT)),
      prefixes: new Uint8Array(new SharedArrayBuffer(count * digestBytes)),
    };
  }

  reached(bytes: number, when?: "now"): void {
    // Each wakes a thread, which costs more than hashing a single piece.
    const isWorthIt = when === "now" ? bytes > this.#toldBytes : this.#isStep(bytes);
    if (!isWorthIt) return;
    this.#tell(bytes);
    // Whoever asks for the digest hears of it; nobody has to ask.
    this.#start().catch(() => this.#comparison?.onFailed());
  }

  #isStep(bytes: number): boolean {
    return bytes - this.#toldBytes >= limits.prefixStepBytes || bytes >= this.#order.size;
  }

  compare(comparison: PrefixComparison): void {
    this.#comparison = comparison;
    this.#order.prefixes.set(comparison.prefixes);
    Atomics.store(this.#order.state, prefixState.isCompared, 1n);
  }

  async digest(request: Parameters<PrefixDigest["digest"]>[0]): Promise<Digest> {
    const end = () => this.#abort.abort(request.signal.reason);
    request.signal.addEventListener("abort", end, { once: true });
    this.#onProgress = request.onProgress;
    try {
      request.signal.throwIfAborted();
      return await this.#start();
    } finally {
      request.signal.removeEventListener("abort", end);
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#abort.abort();
    await this.#running?.catch(() => {});
  }

  #start(): Promise<Digest> {
    this.#running ??= this.#run();
    return this.#running;
  }

  #run(): Promise<Digest> {
    // There is a file by now: it may be opened while the first reads run.
    const order: PrefixOrder = { ...this.#order, fd: this.#file.fd };
    return runWorker<Digest, PrefixNews>("prefix-worker", order, {
      onProgress: (done) => this.#onProgress(done),
      onNews: (news) => this.#hear(news),
      signal: this.#abort.signal,
    });
  }

  #tell(bytes: number): void {
    this.#toldBytes = bytes;
    Atomics.store(this.#order.state, prefixState.reached, BigInt(bytes));
    Atomics.notify(this.#order.state, prefixState.reached);
  }

  #hear(news: PrefixNews): void {
    if (news.kind === "proven") {
      this.#comparison?.onProven(news.pieces);
      return;
    }
    const isOver = this.#comparison?.onDoubted(news.piece) === "enough";
    const { state, pieceBytes } = this.#order;
    if (isOver) Atomics.store(state, prefixState.isCompared, 0n);
    // It is not in place any more, until it is reached anew.
    else this.#tell(news.piece * pieceBytes);
    this.#doubts++;
    Atomics.store(state, prefixState.answered, BigInt(this.#doubts));
    Atomics.notify(state, prefixState.answered);
  }
}
