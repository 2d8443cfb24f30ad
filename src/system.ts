/** What a process has one of: the real clock and chance, and what its downloads share. */

import { setTimeout as delay } from "node:timers/promises";
import { SharedSyncs } from "./files/folder.js";
import { ReadMemory } from "./grpc/express/read-memory.js";
import { KeptConnections } from "./grpc/kept-connections.js";
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

/** Connections to replicas, kept from one download for the next. */
export const systemConnections = new KeptConnections();

/** What the connections to all replicas read into; one for each took most of all memory. */
export const systemReadMemory = new ReadMemory();
