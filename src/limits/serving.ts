/** What virtual servers do at once, keep, and wait for. */

import { KiB, MiB } from "./byte-units.js";

export const servingLimits = {
  /**
   * Reads in flight in one process, and for one client address: each holds two chunks. Beyond, the
   * client is told to come back. `serve --max-reads` and `--max-client-reads` set them.
   */
  readsInFlight: 256,
  readsPerClient: 64,
  /** One client's on each of many virtual servers: who reads on asks before the last read ends. */
  readsPerPort: 2,
  /** Lists of files made at once: each walks the whole folder. */
  listingsInFlight: 8,
  /** When a client past a bound is told to come back. */
  busyRetryMs: 1_000,

  /** How long a call waits for a hash that is nearly done before it is told HASHING. */
  hashingPatienceMs: 400,
  /** Time between two HASHING answers to one client. */
  hashingRetryMs: 500,
  /** A file changed less than this before it was hashed is not remembered across restarts. */
  youngFileMs: 2_000,
  /** Files hashed at once; the rest wait their turn. */
  hashersAtOnce: 2,
  /**
   * Files being hashed or waiting for it: each holds a descriptor. Beyond it, a claim is `busy`.
   */
  hashesInFlight: 64,
  /** Manifests kept in memory; the least recently used one goes first. */
  manifestsKept: 1024,

  /** Files in one listing, and folders deep. */
  listedFiles: 100_000,
  listedDepth: 32,
  listPageFiles: 1000,
  /** Names of a listing are kept so long for its next pages: more than all of them may take. */
  listKeptMs: 30_000,

  /** What a virtual server that is slow on purpose sends a second. */
  slowFaultRate: 64 * KiB,
  /** How long a server's health is marked after its disk failed. */
  diskTroubleMs: 30_000,
  /** A virtual server that died is started again after this, later each time, at most so. */
  restartMs: 1_000,
  restartCapMs: 60_000,
  /** How long a stopping server lets running reads finish. */
  drainMs: 10_000,

  /** Who asks for metrics, at once, and how long a request of theirs may take to come. */
  metricsConnections: 16,
  metricsRequestMs: 5_000,
  /** Certificates, keys, tokens: the largest file, the shortest token, how often to look. */
  secretFileBytes: 1 * MiB,
  tokenCharacters: 16,
  secretsLookMs: 2_000,
} as const;
