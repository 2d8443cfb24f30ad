/** Decides what a download was asked for: every option once, checked, with its default. */

import { UsageError } from "../errors.js";
import { limits } from "../limits.js";
import { nameProblem } from "../trust/name.js";
import type { Rule } from "../trust/rule.js";
import type { OnEvent } from "./progress.js";

/** How a download, a survey or a verification may be tuned. Everything is optional. */
export interface DownloadOptions {
  /**
   * How many equal claims are enough. Default: strictly more than half of the configured replicas.
   */
  readonly rule?: Rule;
  /** First regions, 1–1,000,000. Default: one for each replica. */
  readonly chunks?: number;
  /** Bytes per second for the whole download, at least 1,024. Default: no limit. */
  readonly limitRate?: number;
  /** A file that the quorum says is larger, in bytes, is not fetched. Default: no limit. */
  readonly maxBytes?: number;
  /** Milliseconds without a byte from anybody before it gives up. Default: 60,000. */
  readonly timeoutMs?: number;
  /** Milliseconds between two progress events. Default: 1,000. */
  readonly intervalMs?: number;
  /**
   * Threads that hash the pieces of a large file, 0–64. Default: by the number of cores, none on
   * two.
   */
  readonly hashThreads?: number;
  /** Ends it; it rejects with the signal's reason, and what was verified can be resumed. */
  readonly signal?: AbortSignal;
  /** Told everything that happens. What it throws ends the download. */
  readonly onEvent?: OnEvent;
}

/** The same, complete. */
export interface ResolvedOptions {
  readonly rule: Rule;
  readonly chunks: number | undefined;
  readonly limitRate: number | undefined;
  readonly maxBytes: number;
  readonly timeoutMs: number;
  readonly intervalMs: number;
  readonly hashThreads: number | undefined;
  readonly signal: AbortSignal;
  readonly onEvent: OnEvent;
}

/** Fills in defaults; throws UsageError for whatever makes no sense. */
export function resolveOptions(options: DownloadOptions = {}): ResolvedOptions {
  const { chunks, limitRate, hashThreads } = options;
  const maxBytes = options.maxBytes ?? Number.POSITIVE_INFINITY;
  const timeoutMs = options.timeoutMs ?? limits.noProgressMs;
  const intervalMs = options.intervalMs ?? 1000;
  if (chunks !== undefined && !isWhole(chunks, 1, 1e6)) {
    throw new UsageError(`chunks: ${chunks} is not a whole number from 1 to 1,000,000`);
  }
  if (limitRate !== undefined && !(limitRate >= limits.leastRate)) {
    throw new UsageError(`limit rate: ${limitRate} is not at least 1 KiB a second`);
  }
  if (!(maxBytes >= 0)) throw new UsageError(`max size: ${maxBytes} is not a number of bytes`);
  if (!(timeoutMs > 0)) throw new UsageError(`timeout: ${timeoutMs} ms is not more than 0`);
  if (!(intervalMs > 0)) throw new UsageError(`interval: ${intervalMs} ms is not more than 0`);
  if (hashThreads !== undefined && !isWhole(hashThreads, 0, limits.mostLeafThreads)) {
    const most = limits.mostLeafThreads;
    throw new UsageError(`hash threads: ${hashThreads} is not a whole number from 0 to ${most}`);
  }
  return {
    rule: options.rule ?? { kind: "majority" },
    chunks,
    limitRate,
    maxBytes,
    timeoutMs,
    intervalMs,
    hashThreads,
    signal: options.signal ?? new AbortController().signal,
    onEvent: options.onEvent ?? (() => {}),
  };
}

function isWhole(number: number, least: number, most: number): boolean {
  return Number.isSafeInteger(number) && number >= least && number <= most;
}

/** Throws UsageError unless this is a name that may be asked for, of so many replicas. */
export function checkRequest(what: string, name: string, replicaCount: number): void {
  // Plain JavaScript may leave it out.
  if (typeof name !== "string") throw new UsageError(`${what}: no name was given`);
  const problem = nameProblem(name);
  if (problem !== undefined) {
    throw new UsageError(`${what}: the name ${JSON.stringify(name)} ${problem}`);
  }
  if (replicaCount === 0) throw new UsageError(`${what} ${name}: no replica was named`);
  if (replicaCount > limits.replicas) {
    throw new UsageError(`${what} ${name}: more than ${limits.replicas} replicas were named`);
  }
}
