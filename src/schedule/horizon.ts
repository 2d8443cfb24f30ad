/**
 * Decides whether leases stay near the frontier while a digest follows a download, and how near:
 * from the beginning among many, for as long as all together are fast, and until little is left.
 */

import { limits } from "../limits.js";
import { horizonBytes, windowPieces } from "./window.js";

/** How the download does. */
interface Course {
  readonly leftBytes: number;
  /** Those that may get leases. */
  readonly replicas: number;
  /** Bytes per second of all whose rate is known: 0 where none is. */
  readonly rate: number;
  /** The longest of them all. */
  readonly latencyMs: number;
}

export class Horizon {
  readonly #pieceBytes: number;
  readonly #beginsNear: boolean;
  #isFast = false;
  #pieces: number | undefined;

  /** `beginsNear`: whether a crowd does, until a rate is known; else there are regions first. */
  constructor(pieceBytes: number, beginsNear: boolean) {
    this.#pieceBytes = pieceBytes;
    this.#beginsNear = beginsNear;
  }

  /** Pieces among which leases are given, from the frontier on; `undefined` for regions. */
  get pieces(): number | undefined {
    return this.#pieces;
  }

  /** To be told whenever anything may have changed. */
  update({ leftBytes, replicas, rate, latencyMs }: Course): void {
    if (leftBytes < limits.levelledBytes) {
      this.#pieces = undefined;
      return;
    }
    const isCrowd = replicas >= limits.crowdReplicas;
    const isBeginning = rate === 0 && isCrowd && this.#beginsNear;
    const bytes = isBeginning ? limits.horizonBytes : horizonBytes(rate, latencyMs);
    if (bytes !== undefined) {
      this.#isFast ||= rate > 0;
      this.#pieces = windowPieces(bytes, this.#pieceBytes);
    } else if (!this.#isFast) this.#pieces = undefined;
  }
}
