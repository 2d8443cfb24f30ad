/** What is read, written and hashed of files, and by how many threads. */

import { KiB, MiB } from "./byte-units.js";

export const diskLimits = {
  /** A file up to this size gets its space by being written: less than starting a process. */
  zeroFilledBytes: 64 * KiB,
  /** Written pieces are journaled at most so often: what `kill -9` costs, beside what is on its way. */
  journalMs: 50,
  /** They become durable each second or 64 MiB, whichever is first: what a power cut costs. */
  checkpointMs: 1_000,
  checkpointBytes: 64 * MiB,
  /** And once there are as many of them as are still to come, unless that is less than this. */
  endingBytes: 1 * MiB,
  /** Pieces that come within so many ms are written together: a write wakes another thread. */
  stretchMs: 20,
  stretchBytes: 1 * MiB,
  /** Memory that leases leave to the next ones: more is needed by more at once than usual only. */
  spareBytes: 16 * MiB,
  /**
   * Pieces that wait in memory while a file is handed on in order: 0.3 s of 200 MB/s, or 16 of the
   * largest pieces.
   */
  orderedWindowBytes: 64 * MiB,
  /** A list of servers that is larger is a file of another kind: 100,000 lines fit. */
  serversFileBytes: 4 * MiB,
  /** Old copies that one download takes pieces from: each holds a descriptor. */
  seeds: 64,
  /** Pieces that cannot be read before a seed is left out: a dying disk takes seconds for each. */
  seedRefusals: 16,

  /** A file up to this size is hashed in one go, which takes 5 ms; a thread takes 30 to start. */
  inlineHashBytes: 4 * MiB,
  /** Bytes read at a time when a file is hashed. */
  hashReadBytes: 1 * MiB,
  /** What an earlier run left is hashed on other cores from here on: less takes 0.3 s on one. */
  threadedRereadBytes: 512 * MiB,
  /** In how many threads at most, and what each must have to do: 128 MiB are twice its start. */
  rereadThreads: 8,
  rereadThreadBytes: 128 * MiB,
  /**
   * A thread digests a file while it comes from here on: it takes 40 ms to start, and below that
   * the one that receives can do it. It is told of the prefix in steps of so many bytes.
   */
  prefixDigestBytes: 128 * MiB,
  prefixStepBytes: 4 * MiB,
  /**
   * Pieces that the digest in the making reaches within so long, at a rate of at least this, are
   * proven by it. What it has not reached after a while is hashed, and none is left to it until it
   * gets on. Of 64 replicas, some lease took a second where a fair part would take 0.2.
   */
  chainMs: 600,
  chainRate: 100 * MiB,
  chainPatienceMs: 1_000,
  /**
   * Pieces are hashed in threads of their own from this size of a file on, and in how many at most:
   * two hash twice as fast as the whole digest, which is one chain, can follow.
   */
  leafHasherBytes: 128 * MiB,
  leafThreads: 2,
  mostLeafThreads: 64,
  /** Descriptors that must be free for a thread: it takes five, and its files while they load. */
  threadDescriptors: 16,
} as const;
