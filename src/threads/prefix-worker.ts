/** The thread that `prefix-digest.ts` starts: reads what is in place, waits for more, and ends. */

import { readSync } from "node:fs";
import { parentPort } from "node:worker_threads";
import { limits } from "../limits.js";
import { type Digest, DigestBuilder, digestBytes } from "../trust/digest.js";
import { answerOrder, type OnProgress } from "./answer-order.js";
import { type PrefixNews, type PrefixOrder, prefixState } from "./prefix-order.js";
import type { WorkerReport } from "./run-worker.js";

class Follower {
  readonly #order: PrefixOrder;
  readonly #onProgress: OnProgress;
  readonly #buffer = Buffer.allocUnsafeSlow(limits.hashReadBytes);
  #offset = 0;
  #digest = new DigestBuilder();
  /** As it was after the last whole piece. */
  #atBorder = this.#digest.copy();
  #proven = 0;
  #toldProven = 0;
  #doubts = 0n;

  constructor(order: PrefixOrder, onProgress: OnProgress) {
    this.#order = order;
    this.#onProgress = onProgress;
  }

  run(): Digest {
    const { size, state } = this.#order;
    while (this.#offset < size) {
      const inPlace = Number(Atomics.load(state, prefixState.reached));
      if (inPlace > this.#offset) {
        this.#readOn(inPlace);
        continue;
      }
      this.#tellProven(1);
      Atomics.wait(state, prefixState.reached, BigInt(inPlace));
    }
    this.#tellProven(1);
    return this.#digest.finish();
  }

  #readOn(inPlace: number): void {
    const { fd, size, pieceBytes } = this.#order;
    const wanted = Math.min(this.#buffer.length, inPlace - this.#offset);
    const length = readSync(fd, this.#buffer, 0, wanted, this.#offset);
    if (length === 0) throw new Error(`the file ended at byte ${this.#offset} of ${size}`);
    for (let from = 0; from < length; ) {
      const piece = Math.floor(this.#offset / pieceBytes);
      const border = Math.min(size, (piece + 1) * pieceBytes);
      const part = this.#buffer.subarray(from, Math.min(length, from + border - this.#offset));
      this.#digest.add(part);
      this.#offset += part.length;
      from += part.length;
      if (this.#offset < border) break;
      if (!this.#isRight(piece)) {
        this.#doubt(piece);
        return;
      }
      this.#atBorder = this.#digest.copy();
    }
    this.#onProgress(this.#offset);
  }

  #isRight(piece: number): boolean {
    const { state, prefixes, pieceBytes } = this.#order;
    if (Atomics.load(state, prefixState.isCompared) === 0n) return true;
    const due = prefixes.subarray(piece * digestBytes, (piece + 1) * digestBytes);
    if (Buffer.compare(due, this.#digest.soFar()) !== 0) return false;
    this.#proven = piece + 1;
    this.#tellProven(Math.ceil(limits.prefixStepBytes / pieceBytes));
    return true;
  }

  /** Goes back to before the piece, and waits until somebody has heard of it. */
  #doubt(piece: number): void {
    const { state, pieceBytes } = this.#order;
    this.#digest = this.#atBorder.copy();
    this.#offset = piece * pieceBytes;
    this.#tellProven(1);
    tell({ kind: "doubted", piece });
    Atomics.wait(state, prefixState.answered, this.#doubts++);
  }

  #tellProven(least: number): void {
    if (this.#proven - this.#toldProven < least) return;
    this.#toldProven = this.#proven;
    tell({ kind: "proven", pieces: this.#proven });
  }
}

function tell(news: PrefixNews): void {
  const report: WorkerReport<Digest, PrefixNews> = { kind: "news", news };
  parentPort?.postMessage(report);
}

answerOrder((order: PrefixOrder, onProgress) => new Follower(order, onProgress).run());
