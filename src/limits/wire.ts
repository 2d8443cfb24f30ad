/** What crosses the wire: messages, windows, connections, and how long either side waits. */

import { KiB, MiB } from "./byte-units.js";

export const wireLimits = {
  /**
   * Chunks of a read stream: each costs two turns of the thread pool, whatever its size. 1 MiB
   * gained nothing more.
   */
  chunkBytes: 512 * KiB,
  /** The first chunk of a stream; each next one is twice as large, up to that. */
  firstChunkBytes: 16 * KiB,
  /**
   * Chunks under a rate limit: at least 20 a second, so that an idle clock never mistakes it for a
   * stall.
   */
  chunksPerSecond: 20,
  chunkFloorBytes: 4 * KiB,
  /** Bytes that wait to be sent by a process, or could: with many reads, chunks are smaller. */
  sendBytes: 64 * MiB,
  /**
   * Windows of all reads on express connections of a process: one half in equal shares, the other
   * for who needs more. And blocks that are kept for the next: new memory costs more than a copy.
   */
  receiveBytes: 64 * MiB,
  /** A reader that takes longer for a chunk gets smaller ones; one that is quicker, larger ones. */
  slowChunkMs: 500,
  fastChunkMs: 100,
  /**
   * Pieces in one message of a list: 64 KiB of digests and as much of prefixes, well below the
   * client's message bound.
   */
  pieceDigestsPerMessage: 2048,

  /** A message to a server: names are small. */
  requestBytes: 64 * KiB,
  /** A message to a client: eight times the largest chunk that we send. */
  messageBytes: 4 * MiB,
  /** All header lines of a request: a token and a deadline are a few hundred bytes. */
  requestHeaderBytes: 8 * KiB,
  /** HTTP/2 flow-control window of a connection and its streams: twice 25 MB/s × 150 ms. */
  windowBytes: 8 * MiB,
  /** The least of a stream, with however many: a server's chunk, halved. */
  leastWindowBytes: 256 * KiB,

  /** A name server that is slower than this is not waited for: connecting will tell. */
  resolveMs: 2_000,
  /** Connections kept for the next download: so long, so many to one replica, and to all. */
  keptConnectionMs: 1_000,
  keptPerReplica: 16,
  keptConnections: 256,
  /** Streams on one connection to a server: what gRPC servers commonly allow. */
  streamsPerConnection: 100,
  /**
   * Connections to one virtual server, and from one client address: each costs some 100 KiB, and
   * nobody shall take them all. `serve --max-connections` sets the first.
   */
  connections: 256,
  connectionsPerClient: 64,

  /** A reader that takes nothing for this long is cut off: what waits for it is memory. */
  readerStallMs: 20_000,
  /** A request, or the first one of a connection, must be there within this. */
  requestMs: 10_000,
  firstRequestMs: 30_000,
  /** How often stalled readers and late requests are looked after. */
  sweepMs: 2_500,
  /** So many streams and connections that ended leave garbage worth collecting once it is quiet. */
  endingsCollected: 100,
  /**
   * Connections that ended are collected at once: each holds 25 KiB outside V8's heap until then,
   * which malloc would not give back.
   */
  connectionsCollected: 200,
  /** Collecting takes no larger share of the time. */
  collectingShare: 1 / 8,
} as const;
