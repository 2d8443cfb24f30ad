/** What asking who says what the file is may cost: names, claims, piece lists, opinions. */

import { KiB, MiB } from "./byte-units.js";

export const agreementLimits = {
  /** A name in UTF-8: what ext4 could hold four times over, and still a cheap message. */
  nameBytes: 1024,
  /** The largest file: 1 PiB keeps every offset a safe integer with room to add. */
  fileBytes: 2 ** 50,
  /** Replicas in one download: beyond it, a vote costs more than it tells. */
  replicas: 1024,
  /** A kept receipt: 1,024 replicas with a claim, a vote and evidence each need less than 2 MiB. */
  receiptBytes: 4 * MiB,

  /** A claim must be there within this; who is later counts as silent, and may still join. */
  surveyMs: 5_000,
  /** All pages of a list; its first page must be there as soon as a claim. */
  listMs: 30_000,
  /** Read of each of the first replicas while they vote: a round trip of 10 MB/s, 4 MiB in all. */
  earlyBytes: 512 * KiB,
  earlyReads: 16,
  /** Stragglers of a clear vote are waited for half as long as it took, within these bounds. */
  surveyGraceLeastMs: 100,
  surveyGraceMs: 300,
  /**
   * A survey waits for replicas that are hashing as long as one of them makes progress in this
   * time.
   */
  hashingStallMs: 20_000,

  /** Bytes of piece digests held in memory: 32 bytes for each 4 MiB of a 64 TiB file. */
  pieceListBytes: 512 * MiB,
  /** A whole piece list must be there within this; it is 32 bytes a piece. */
  pieceListMs: 15_000,
  /**
   * The nearest member has so much longer than the way there and a list of this rate take, and no
   * longer than that in all, before another is asked as well, and so on.
   */
  pieceListPatienceLeastMs: 100,
  pieceListRate: 1 * MiB,
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
} as const;
