/**
 * Hashes pieces in threads of their own, in memory that all of them see, so that the thread which
 * receives only receives.
 */

import { availableParallelism } from "node:os";
import type { Worker } from "node:worker_threads";
import type { LeafHasher, StartLeafHasher } from "../hash-ports.js";
import { limits } from "../limits.js";
import { leafDigests, type PieceDigests } from "../trust/merkle.js";
import type { LeafAnswer, LeafOrder } from "./leaf-worker.js";
import { checkDescriptors, startThread } from "./run-worker.js";

/** Starts as many threads as asked for, or as the cores allow, for a large file. */
export const startLeafHasher: StartLeafHasher = ({ size, threads }) => {
  const count = threads ?? leafThreads(availableParallelism());
  if (count === 0 || size < limits.leafHasherBytes) return undefined;
  try {
    checkDescriptors();
  } catch {
    // It gains speed and nothing else: what there are no descriptors for is done without.
    return undefined;
  }
  return leafHasher(count);
};

/**
 * How many threads so many cores are good for. Receiving takes one and the whole digest another;
 * two more hash twice as fast as that digest, which cannot be shared out, is made.
 */
export function leafThreads(cores: number): number {
  return Math.max(0, Math.min(limits.leafThreads, cores - 2));
}

/** Starts `count` threads, 1 or more. */
export function leafHasher(count: number): LeafHasher {
  const threads = Array.from({ length: count }, () => new LeafThread());
  const leastLoaded = () =>
    threads.reduce((least, other) => (other.load < least.load ? other : least));
  return {
    memory: (bytes) => Buffer.from(new SharedArrayBuffer(bytes)),
    leaves: (content, pieceBytes) => leastLoaded().leaves(content, pieceBytes),
    async [Symbol.asyncDispose]() {
      await Promise.all(threads.map((thread) => thread.end()));
    },
  };
}

interface Waiting {
  readonly content: Uint8Array;
  readonly pieceBytes: number;
  readonly resolve: (leaves: PieceDigests) => void;
}

class LeafThread {
  readonly #thread: Worker;
  readonly #waiting = new Map<number, Waiting>();
  #isOver = false;
  #nextId = 0;

  constructor() {
    this.#thread = startThread("leaf-worker")
      .on("message", ({ id, leaves }: LeafAnswer) => {
        this.#waiting.get(id)?.resolve(leaves);
        this.#waiting.delete(id);
      })
      // Whatever ailed it, the pieces are there, and are hashed by who asked.
      .on("error", () => this.#hashTheRest())
      .on("exit", () => this.#hashTheRest());
  }

  /** What it has not answered yet. */
  get load(): number {
    return this.#isOver ? Number.POSITIVE_INFINITY : this.#waiting.size;
  }

  leaves(content: Uint8Array, pieceBytes: number): Promise<PieceDigests> {
    if (this.#isOver) return Promise.resolve(leafDigests(content, pieceBytes));
    const id = this.#nextId++;
    return new Promise((resolve) => {
      this.#waiting.set(id, { content, pieceBytes, resolve });
      const order: LeafOrder = { id, content, pieceBytes };
      this.#thread.postMessage(order);
    });
  }

  async end(): Promise<void> {
    await this.#thread.terminate();
    this.#hashTheRest();
  }

  #hashTheRest(): void {
    this.#isOver = true;
    for (const { content, pieceBytes, resolve } of this.#waiting.values()) {
      resolve(leafDigests(content, pieceBytes));
    }
    this.#waiting.clear();
  }
}
