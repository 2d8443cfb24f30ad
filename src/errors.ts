/**
 * Every error that may leave the product: a stable code, the facts, and the exit code that it
 * means.
 * A fault of one replica is not an error: it is a value (`schedule/faults.ts`), and costs a lease.
 */

import { inspect } from "node:util";

/** Names the kind of error; stable between releases, so callers may branch on it. */
export type ErrorCode =
  | "usage"
  | "no-quorum"
  | "not-found"
  | "out-of-replicas"
  | "integrity"
  | "storage"
  | "interrupted";

/** What a process should exit with; the table stands in the README. */
export const exitCodes = {
  done: 0,
  bug: 1,
  usage: 2,
  "no-quorum": 3,
  "not-found": 4,
  "out-of-replicas": 5,
  integrity: 6,
  storage: 7,
  "hung-up": 129,
  interrupted: 130,
  /** With `-o -`: as a shell sees a program that SIGPIPE ended, `cat` for one. */
  "reader-gone": 141,
  terminated: 143,
} as const;

/** The parent of every error that the product throws on purpose. */
export abstract class QuorateError extends Error {
  abstract readonly code: ErrorCode;
  /** What a command line exits with. */
  get exitCode(): number {
    return exitCodes[this.code];
  }
}

/** The caller asked for something that makes no sense: a bad flag, name, address or option. */
export class UsageError extends QuorateError {
  readonly code = "usage";
  override readonly name = "UsageError";
}

/** One group of equal claims, as counted. */
export interface TallyLine {
  /** `sha256:…`, in full. */
  readonly digest: string;
  readonly size: number;
  readonly count: number;
}

/** What was counted when no quorum came about. */
export interface TallyFacts {
  readonly needed: number;
  readonly configured: number;
  readonly tally: readonly TallyLine[];
  readonly silent: number;
  readonly missing: number;
}

/** Too few replicas agree on what the file is. Nothing was written. */
export class NoQuorumError extends QuorateError {
  readonly code = "no-quorum";
  override readonly name = "NoQuorumError";
  readonly facts: TallyFacts;
  constructor(message: string, facts: TallyFacts) {
    super(message);
    this.facts = facts;
  }
}

/** Nobody claims the file, and more than half of all replicas say that they have no such file. */
export class NotFoundError extends QuorateError {
  readonly code = "not-found";
  override readonly name = "NotFoundError";
}

/**
 * No replica is left that may deliver what is missing. What was verified is kept, to be resumed.
 */
export class OutOfReplicasError extends QuorateError {
  readonly code = "out-of-replicas";
  override readonly name = "OutOfReplicasError";
}

/** The bytes are not what the quorum agreed on. Nothing was published. */
export class IntegrityError extends QuorateError {
  readonly code = "integrity";
  override readonly name = "IntegrityError";
}

/** The disk refused: full, read-only, locked, in the way. What was verified is kept. */
export class StorageError extends QuorateError {
  readonly code = "storage";
  override readonly name = "StorageError";
}

/** The user ended it. What was verified is kept, to be resumed. */
export class InterruptedError extends QuorateError {
  readonly code = "interrupted";
  override readonly name = "InterruptedError";
  readonly #exitCode: number;
  /** `exitCode`: 130 for SIGINT (the default), 143 for SIGTERM, 129 for SIGHUP. */
  constructor(message: string, exitCode: number = exitCodes.interrupted) {
    super(message);
    this.#exitCode = exitCode;
  }
  override get exitCode(): number {
    return this.#exitCode;
  }
}

/** An invariant of ours does not hold: a bug, never the user's mistake. */
export function assert(condition: boolean, invariant: string): asserts condition {
  if (!condition) throw new Error(`invariant broken: ${invariant}`);
}

/** The text of whatever was thrown, for a message. */
export function messageOf(thrown: unknown): string {
  if (thrown instanceof Error) return thrown.message;
  // Not String(), which throws itself for what has no prototype.
  return typeof thrown === "string" ? thrown : inspect(thrown, { depth: 0 });
}
