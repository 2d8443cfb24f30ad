/** Gives memory back that nobody needs any more. */

import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { limits } from "../limits.js";

/** Collects garbage, and however many ask for it, not for more than a share of the time. */
export class GarbageCollector {
  readonly #collect: () => void;
  readonly #now: () => number;
  #restsUntil = Number.NEGATIVE_INFINITY;

  constructor(collect = collectNow, now = () => performance.now()) {
    this.#collect = collect;
    this.#now = now;
  }

  /**
   * Collects now, for some 10 ms; false when that was done just before. V8 by itself waits until
   * somebody wants more memory, and a server that is idle after a flood would hold all of it for
   * hours.
   */
  collect(): boolean {
    const startedAt = this.#now();
    if (startedAt < this.#restsUntil) return false;
    this.#collect();
    const endedAt = this.#now();
    this.#restsUntil = endedAt + (endedAt - startedAt) * (1 / limits.collectingShare - 1);
    return true;
  }
}

/** That of this process, which all its servers share. */
export const garbageCollector = new GarbageCollector();

let collector: (() => void) | undefined;

function collectNow(): void {
  collector ??= findCollector();
  collector();
}

/** Node hands V8's collector out only with a flag, and to contexts that were made under it. */
function findCollector(): () => void {
  setFlagsFromString("--expose-gc");
  const collect: unknown = runInNewContext("gc");
  setFlagsFromString("--no-expose-gc");
  return typeof collect === "function" ? () => collect() : () => {};
}
