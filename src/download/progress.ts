/** What a download tells while it runs: one event for text, live view and JSON alike. */

import { limits } from "../limits.js";
import type { Receipt } from "../receipt/receipt.js";
import type { Ban } from "../schedule/discipline.js";
import type { Fault } from "../schedule/faults.js";
import type { Scheduler } from "../schedule/scheduler.js";
import type { Score, Standing } from "../schedule/score.js";
import type { Agreement, ReplicaId, Vote } from "../trust/quorum.js";

/** One replica while the transfer runs. */
export interface ReplicaProgress {
  readonly address: ReplicaId;
  readonly standing: Standing;
  /** Why, when it is not good. */
  readonly reason: string | undefined;
  /** Bytes per second, as of now; 0 when it delivers nothing. */
  readonly rate: number;
  /** Verified bytes that it was the first to deliver. */
  readonly deliveredBytes: number;
  /** Reads that run. */
  readonly leases: number;
}

/** Everything that a download tells. */
export type DownloadEvent =
  /** Two names lead to one server: it counts once, under the first. */
  | { readonly event: "merged"; readonly replica: ReplicaId; readonly into: ReplicaId }
  | { readonly event: "answer"; readonly vote: Vote; readonly roundTripMs: number }
  | {
      readonly event: "hashing";
      readonly replica: ReplicaId;
      readonly doneBytes: number;
      readonly totalBytes: number;
    }
  | { readonly event: "agreement"; readonly agreement: Agreement }
  /** An earlier run's partial, which was not to be taken up, is kept here. */
  | { readonly event: "set-aside"; readonly path: string }
  /** What is on the disk already is being hashed; nobody believes it unread. */
  | { readonly event: "rereading"; readonly doneBytes: number; readonly totalBytes: number }
  | { readonly event: "resumed"; readonly bytes: number }
  /** Old copies that are not used, or no further, and why. */
  | { readonly event: "seed-skipped"; readonly paths: readonly string[]; readonly why: string }
  | {
      readonly event: "seeding";
      readonly path: string;
      readonly doneBytes: number;
      readonly totalBytes: number;
    }
  /** So many bytes came from this old copy. */
  | { readonly event: "seeded"; readonly path: string; readonly bytes: number }
  /** Too few stand by the agreement any more, and the quorum is asked again, the n-th time. */
  | { readonly event: "asked-again"; readonly why: string; readonly times: number }
  /** Pieces are judged by this root no longer; whom it judged is free. */
  | {
      readonly event: "root-doubted";
      readonly root: string;
      readonly why: string;
      readonly freed: readonly ReplicaId[];
    }
  /** The whole digest is wrong and nobody gives pieces: they are read again, from others. */
  | { readonly event: "second-opinions" }
  | { readonly event: "joined"; readonly replica: ReplicaId }
  | { readonly event: "fault"; readonly replica: ReplicaId; readonly fault: Fault }
  | ({ readonly event: "banned" } & Ban)
  | TransferProgress
  | { readonly event: "verifying"; readonly doneBytes: number; readonly totalBytes: number }
  | ({ readonly event: "receipt" } & Receipt);

/** How far the transfer is. */
export interface TransferProgress {
  readonly event: "progress";
  /** Verified and written bytes, those of an earlier run and of seeds included. */
  readonly doneBytes: number;
  readonly totalBytes: number;
  /** Bytes per second, the sum of the replicas'. */
  readonly rate: number;
  readonly replicas: readonly ReplicaProgress[];
}

export type OnEvent = (event: DownloadEvent) => void;

/** How the transfer stands. */
export function progressOf(scheduler: Scheduler, doneBytes: number, now: number): TransferProgress {
  const replicas = scheduler.scores.map((score): ReplicaProgress => {
    const leases = scheduler.leaseCountOf(score.replica);
    const isIdle = leases === 0 || isSilent(score, now);
    const rate = isIdle ? 0 : (score.meter.recentRate(now) ?? 0);
    const { standing, reason, deliveredBytes } = score;
    return { address: score.replica, standing, reason, rate, deliveredBytes, leases };
  });
  const rate = replicas.reduce((sum, replica) => sum + replica.rate, 0);
  return { event: "progress", doneBytes, totalBytes: scheduler.layout.size, rate, replicas };
}

/** While one is asked and sends nothing its meter stands still: for the schedule, not for eyes. */
function isSilent({ lastByteAt, usualGapMs }: Score, now: number): boolean {
  return now - (lastByteAt ?? now) >= Math.max(limits.shownSilenceMs, 3 * usualGapMs);
}
