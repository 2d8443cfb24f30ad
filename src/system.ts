/** What a process has one of: the real clock and chance, behind the ports, and shared syncs. */

import { setTimeout as delay } from "node:timers/promises";
import { SharedSyncs } from "./files/folder.js";
import type { Clock, Random } from "./ports.js";

/** Monotonic time: a wall clock that jumps moves no deadline. */
export const systemClock: Clock = {
  now: () => performance.now(),
  async sleep(ms, signal) {
    try {
      await delay(ms, undefined, signal === undefined ? {} : { signal });
    } catch (error) {
      // The timer's own AbortError only has the reason as its cause.
      signal?.throwIfAborted();
      throw error;
    }
  },
};

export const systemRandom: Random = () => Math.random();

/** Syncs of folders, shared by all downloads that run. */
export const systemSyncs = new SharedSyncs();
