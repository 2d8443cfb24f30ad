/** Who fetches what, and for how long: leases, clocks, streams, cuts, hedges, rates, faults. */

import { KiB, MiB } from "./byte-units.js";

export const transferLimits = {
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
   * Deciding rests for so many times as long as it took, but no longer than this at a time; nor for
   * what it took of as much time unused.
   */
  decideRests: 9,
  decideRestMs: 100,

  /**
   * Leases running at once, over all replicas: bounds unverified bytes in memory (one piece each).
   */
  leases: 128,
  /**
   * Leases are this long at the rate last measured, or so many latencies: what was asked for may
   * lie in buffers on the way, and after a cut the next lease waits behind it.
   */
  leaseAimMs: 300,
  leaseLatencies: 2,
  /** What was read before the vote is not cut for so long: it lies here, and cutting wastes it. */
  earlyNearMs: 50,
  /** The least that a replica gets whose rate is not known yet. */
  firstLeasePieces: 4,
  firstLeaseBytes: 1 * MiB,
  /** To a far one, what it delivers in two latencies at this rate, so that no bubble comes. */
  firstLeaseRate: 25 * MiB,
  /** Who brings less of a lease than this before it ends it is not asked for more for that. */
  broughtShareLeast: 1 / 16,
  /** A lease is asked for when the one before has so many latencies of bytes left: no bubble. */
  aheadLatencies: 1.5,
  /** And so much sooner, for what else this process may be at. */
  aheadMs: 30,
  /**
   * Leases on one stream: while the first byte is far, a short one alone leaves a bubble. With 4, a
   * far replica that had taken a few pieces each time could ask for no more until they were there.
   */
  leasesPerStream: 8,

  /**
   * From this rate of all replicas on, leases stay near the frontier: with regions the digest would
   * need 0.4 % of the download's time at its end, and more the faster that is.
   */
  followRate: 8 * MiB,
  horizonMs: 1_000,
  horizonBytes: 128 * MiB,
  horizonLatencies: 16,
  /**
   * Among so many replicas they do before any rate is known: first leases of 64 were a fifth of a
   * GiB. Fewer end more evenly when each begins in a region of its own.
   */
  crowdReplicas: 17,
  /** With so much left there are regions again: all end together, and the digest 7 ms later. */
  levelledBytes: 16 * MiB,

  /** Regions follow the rates when that brings the end nearer by this share, or more. */
  levelShare: 0.05,
  /** And when everybody was measured for so long: the first chunks tell little. */
  levelFlowMs: 100,
  /** Below this share of its own pace for this long, a replica's work goes to others. */
  slumpShare: 0.25,
  slumpMs: 3_000,
  /** A cut takes no more than is done in this many times the end that all can reach together. */
  cutEndMultiple: 1.5,
  /** A cut must bring the end nearer by this much; less is not worth a call. */
  cutGainMs: 10,
  /** The same where no byte is on its way yet, and for a hedge: a call is all that it costs. */
  freeGainMs: 5,
  /**
   * Who has been silent for longer than usual is expected to be for so many times as long again
   * when others look for work: a cut from one that comes back costs little.
   */
  silenceMultiple: 4,
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
  rateWindowMs: 60,
  rateWindowChunks: 2,
  /** A first chunk that takes so much longer than the way comes from a slow replica. */
  slowFirstMs: 100,
  /** Less time of flow than this tells nothing. */
  rateLeastMs: 5,
  /** Who sent nothing for so long, or three of its usual gaps, is shown with a rate of 0. */
  shownSilenceMs: 1_000,
  /** Bytes a second that a limit may be set to: less is as good as nothing. */
  leastRate: 1 * KiB,

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
} as const;
