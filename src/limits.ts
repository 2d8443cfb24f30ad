/**
 * Every bound, named, with its reason. Milliseconds and bytes. What an operator may set says so.
 */

const KiB = 1024;
const MiB = 1024 * KiB;

export const limits = {
  /** A name in UTF-8: what ext4 could hold four times over, and still a cheap message. */
  nameBytes: 1024,
  /** The largest file: 1 PiB keeps every offset a safe integer with room to add. */
  fileBytes: 2 ** 50,
  /** Bytes of piece digests held in memory: 32 bytes for each 4 MiB of a 64 TiB file. */
  pieceListBytes: 512 * MiB,
  /** A file up to this size gets its space by being written: less than starting a process. */
  zeroFilledBytes: 64 * KiB,
  /** Piece digests in one message: 64 KiB of them, well below the client's message bound. */
  pieceDigestsPerMessage: 2048,
  /** Replicas in one download: beyond it, a vote costs more than it tells. */
  replicas: 1024,

  /** A claim must be there within this; who is later counts as silent, and may still join. */
  surveyMs: 5_000,
  /** Stragglers of a clear vote are waited for half as long as it took, within these bounds. */
  surveyGraceLeastMs: 100,
  surveyGraceMs: 300,
  /**
   * A survey waits for replicas that are hashing as long as one of them makes progress in this
   * time.
   */
  hashingStallMs: 20_000,

  /** A whole piece list must be there within this; it is 32 bytes a piece. */
  pieceListMs: 15_000,
  /** The nearest member has this long to give it before another is asked as well, and so on. */
  pieceListPatienceMs: 1_000,
  /** Members asked for it at once: each answer is held in memory until it is compared. */
  pieceListsAtOnce: 3,

  /** How often a lost quorum is asked for again: a file that keeps changing has an end. */
  asksAgain: 5,
  /** The wait before that, twice as long each time, up to the cap: replicas change one by one. */
  askAgainMs: 1_000,
  askAgainCapMs: 4_000,
  /** How often a replica may say `changed` and claim the same again before nobody reads from it. */
  timesTurned: 2,
  /** Opinions that are asked about each piece when the whole is wrong and nobody gives pieces. */
  opinionRounds: 4,
  /** Faults in a row, without a piece between, after which a replica is not asked for opinions. */
  opinionTries: 3,
  /** Explanations tried, each for the price of a whole digest; among so many who contradict. */
  explanations: 24,
  rivals: 10,
  /** Doubtful roots tried in one download: each may cost the file once. */
  rootsTried: 4,

  /** First byte of a lease: the floor and the multiple of the latencies seen. */
  firstByteMs: 1_000,
  firstByteLatencies: 4,
  /** No byte within a lease: the floor and the multiple of latency; 0.7 s misfired at 100 ms. */
  idleMs: 1_500,
  idleLatencies: 10,
  /** Either waits for so many of the usual gaps between two chunks, if that is longer. */
  idleGaps: 4,
  /** The same two when nobody else moves either: then the network, or we, may be at fault. */
  lonelyMs: 10_000,
  /**
   * The whole lease, sent to the server as the gRPC deadline, so that it forgets a client that is
   * gone.
   */
  leaseMs: 300_000,
  leaseMultiple: 8,
  /** No byte from anybody for this long ends the download; `--timeout` sets it. */
  noProgressMs: 60_000,
  /**
   * A gap between two looks at the clock above this is our own stall, and nobody is punished for
   * it.
   */
  ownStallMs: 750,
  /** How often a hedge is thought of while a replica has nothing to do. */
  hedgeLookMs: 20,
  /** How often the watchdog looks, at least. */
  watchMs: 250,

  /**
   * Leases are this long at the rate last measured, or so many latencies: what was asked for may
   * lie in buffers on the way, and after a cut the next lease waits behind it.
   */
  leaseAimMs: 300,
  leaseLatencies: 2,
  /** The least that a replica gets whose rate is not known yet. */
  firstLeasePieces: 4,
  firstLeaseBytes: 1 * MiB,
  /** To a far one, what it delivers in two latencies at this rate, so that no bubble comes. */
  firstLeaseRate: 25 * MiB,
  /** A lease is asked for when the one before has so many latencies of bytes left: no bubble. */
  earlyLatencies: 1.5,
  /** And so much sooner, for what else this process may be at. */
  earlyMs: 30,
  /** Regions follow the rates when that brings the end nearer by this share, or more. */
  levelShare: 0.05,
  /** And when everybody was measured for so long: the first chunks tell little. */
  levelFlowMs: 100,
  /** Below this share of its own pace for this long, a replica's work goes to others. */
  slumpShare: 0.25,
  slumpMs: 3_000,
  /** Leases on one stream: while the first byte is far, a short one alone leaves a bubble. */
  leasesPerStream: 4,
  /** A cut takes no more than is done in this many times the end that all can reach together. */
  cutEndMultiple: 1.5,
  /** A cut must bring the end nearer by this much; less is not worth a call. */
  cutGainMs: 20,
  /** The same where no byte is on its way yet, and for a hedge: a call is all that it costs. */
  freeGainMs: 5,
  /** A hedge must look this many times faster than waiting. */
  hedgeMultiple: 1.5,
  /** While nobody's rate is known, silence for this long, beyond the latency, is worth a hedge. */
  blindHedgeMs: 200,
  /** Hedged pieces: this many, or this share of the file, whichever is more. */
  hedgePieces: 4,
  hedgeShare: 0.02,
  /**
   * Streams to one replica, each on its own connection: at 0.1 % loss and 50 ms four carry four
   * times as much as one, and each holds a piece in memory.
   */
  streams: 4,
  /** One more must bring this share of what the others bring each, or it is taken back. */
  streamGainShare: 0.2,
  /** Tried after so long at a rate that changed by no more than this share of itself. */
  streamSteadyMs: 2_000,
  streamSteadyShare: 0.25,
  /** Its connection comes up to speed for this long, and then it is measured for so long. */
  streamSettleMs: 500,
  streamTrialMs: 1_500,
  /** A replica with less work than this, at its rate, would be done before it paid. */
  streamWorkMs: 5_000,
  /** Nearer than this, neither loss nor a window holds one connection back. */
  streamLatencyMs: 2,
  /** No more streams than let a piece come within this: the last ones are waited for. */
  streamPieceMs: 500,
  /** After one that brought nothing, no other is tried for so long, and twice as long each time. */
  streamPauseMs: 30_000,
  /** Rates are averaged over about this long: follows a change within seconds, ignores a hiccup. */
  rateMemoryMs: 1_500,
  /**
   * What a replica delivers right now: over this long, or this many chunks when they come seldom.
   */
  rateWindowMs: 250,
  rateWindowChunks: 8,
  /** Less time of flow than this tells nothing. */
  rateLeastMs: 5,

  /** Back-off: full jitter below base × 2^n, never above the cap. */
  backoffBaseMs: 250,
  backoffCapMs: 10_000,
  /** What a server's RetryInfo may ask for: not a busy loop, not for ever. */
  retryMinMs: 50,
  retryMaxMs: 30_000,
  /** Faults in a row after which a replica that cannot be reached, or is late, is withdrawn. */
  faultsInARow: 5,
  /** A withdrawn one is tried again after this, or up to twice as long: servers do come back. */
  breakerMs: 5_000,
  /** Bad pieces from one replica, when nobody else is left to compare with, before it is banned. */
  corruptRetries: 2,

  /**
   * Leases running at once, over all replicas: bounds unverified bytes in memory (one piece each).
   */
  leases: 128,
  /** Bytes a second that a limit may be set to: less is as good as nothing. */
  leastRate: 1 * KiB,
  /** Disk: verified pieces become durable each second or 64 MiB, whichever is first. */
  checkpointMs: 1_000,
  checkpointBytes: 64 * MiB,
  /** Old copies that one download takes pieces from: each holds a descriptor. */
  seeds: 64,
  /** Pieces that cannot be read before a seed is left out: a dying disk takes seconds for each. */
  seedRefusals: 16,
  /**
   * Pieces that wait in memory while a file is handed on in order: 0.3 s of 200 MB/s, or 16 of the
   * largest pieces.
   */
  orderedWindowBytes: 64 * MiB,
  /** A kept receipt: 1,024 replicas with a claim, a vote and evidence each need less than 2 MiB. */
  receiptBytes: 4 * MiB,
  /** Pieces that come within so many ms are written together: a write wakes another thread. */
  stretchMs: 20,
  stretchBytes: 1 * MiB,
  /** Bytes read at a time when a file is hashed. */
  hashReadBytes: 1 * MiB,
  /** What an earlier run left is hashed on other cores from here on: less takes 0.3 s on one. */
  threadedHashBytes: 512 * MiB,
  /**
   * A file is digested while it comes from here on: 128 MiB take 75 ms at the end, a thread half of
   * that to start. It is told of each further stretch of that size.
   */
  prefixDigestBytes: 128 * MiB,
  prefixStepBytes: 4 * MiB,
  /**
   * From this rate of all replicas on, leases stay near the frontier: with regions the digest would
   * need 3 % of the download's time at its end, and more the faster that is.
   */
  followRate: 64 * MiB,
  horizonBytes: 128 * MiB,
  horizonLatencies: 16,
  /** Threads that hash pieces, and what each must have to do: 128 MiB are twice its start. */
  hashThreads: 8,
  hashThreadBytes: 128 * MiB,
  /** Descriptors that must be free for a thread: it takes five, and its files while they load. */
  threadDescriptors: 16,

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
  /** A message to a server: names are small. */
  requestBytes: 64 * KiB,
  /** A message to a client: eight times the largest chunk that we send. */
  messageBytes: 4 * MiB,
  /** HTTP/2 flow-control window of a connection and its streams: twice 25 MB/s × 150 ms. */
  windowBytes: 8 * MiB,
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
  /**
   * Reads in flight in one process, and for one client address: each holds two chunks. Beyond, the
   * client is told to come back. `serve --max-reads` and `--max-client-reads` set them.
   */
  readsInFlight: 256,
  readsPerClient: 64,
  /** Lists of files made at once: each walks the whole folder. */
  listingsInFlight: 8,
  /** When a client past a bound is told to come back. */
  busyRetryMs: 1_000,
  /** All header lines of a request: a token and a deadline are a few hundred bytes. */
  requestHeaderBytes: 8 * KiB,
  /** A reader that takes nothing for this long is cut off: what waits for it is memory. */
  readerStallMs: 20_000,
  /** A request, or the first one of a connection, must be there within this. */
  requestMs: 10_000,
  firstRequestMs: 30_000,
  /** Certificates, keys, tokens: the largest file, the shortest token, how often to look. */
  secretFileBytes: 1 * MiB,
  tokenCharacters: 16,
  secretsLookMs: 2_000,
  /** How often stalled readers and late requests are looked after. */
  sweepMs: 2_500,
  /** So many streams that ended leave garbage worth collecting once it is quiet: 30 KiB each. */
  streamsCollected: 100,
  /** Bytes that wait to be sent by a process, or could: with many reads, chunks are smaller. */
  sendBytes: 64 * MiB,
  /** A reader that takes longer for a chunk gets smaller ones; one that is quicker, larger ones. */
  slowChunkMs: 500,
  fastChunkMs: 100,
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
  /** What a virtual server that is slow on purpose sends a second. */
  slowFaultRate: 64 * KiB,
  /** How long a server's health is marked after its disk failed. */
  diskTroubleMs: 30_000,
  /** A virtual server that died is started again after this, later each time, at most so. */
  restartMs: 1_000,
  restartCapMs: 60_000,
  /** How long a stopping server lets running reads finish. */
  drainMs: 10_000,
} as const;
