/**
 * Carries out what the scheduler decides: starts and ends reads, tells it what happened, and keeps
 * the journal fed. It decides nothing about who fetches what.
 */

import { assert } from "../errors.js";
import { ReplicaFault } from "../ports.js";
import type { Decision } from "../schedule/decision.js";
import type { Lease } from "../schedule/ledger.js";
import { byteCount, type PieceIndex, pieceLength } from "../schedule/pieces.js";
import { Bell } from "./bell.js";
import { DecidingPace } from "./deciding-pace.js";
import { Objections } from "./doubt/objections.js";
import { giveUp, Patience } from "./give-up.js";
import { Latecomers } from "./latecomers.js";
import type { Stop } from "./outcome.js";
import { progressOf } from "./progress.js";
import { readLease } from "./read-lease.js";
import { SpareMemory } from "./spare-memory.js";
import type { TransferJob } from "./transfer-job.js";

/**
 * Runs until every piece is verified and written, or until that has become pointless: then it gives
 * why, and not a byte more counts. Throws OutOfReplicasError when nobody is left to
 * ask, StorageError when the disk refuses, the signal's reason when it is aborted; whatever was
 * verified is in the journal by then. Once all is done, the last checkpoint is the caller's.
 */
export async function transfer(job: TransferJob): Promise<Stop | undefined> {
  const running = new Transfer(job);
  try {
    await running.run();
  } finally {
    await running.stop();
  }
  running.throwIfFailed();
  return running.stopped;
}

class Transfer {
  readonly #job: TransferJob;
  readonly #bell = new Bell();
  readonly #pace = new DecidingPace(this.#bell);
  readonly #spare: SpareMemory;
  readonly #reads = new Map<number, { abort: AbortController; done: Promise<void> }>();
  #failure: { readonly error: unknown } | undefined;
  /** Why it ended before its time, if it did. */
  stopped: Stop | undefined;
  #doneBytes: number;
  readonly #patience: Patience;
  readonly #latecomers: Latecomers;
  readonly #objections: Objections;
  #toldAt: number;

  constructor(job: TransferJob) {
    this.#job = job;
    this.#spare = new SpareMemory(job.hasher?.memory);
    const { settledPieces, layout } = job.scheduler;
    this.#doneBytes = byteCount(layout, settledPieces);
    this.#toldAt = job.clock.now();
    this.#patience = new Patience(this.#doneBytes, this.#toldAt);
    this.#latecomers = new Latecomers(job);
    this.#objections = new Objections(job.support, job.doubts);
    this.#latecomers.welcome(
      () => this.#pace.ring(),
      (error) => this.#fail(error),
    );
    job.pointless?.then(
      (stop) => this.#stopIf(stop),
      (error: unknown) => this.#fail(error),
    );
  }

  async run(): Promise<void> {
    const { scheduler, clock, signal, checkpoint, chain, early } = this.#job;
    const onAbort = () => this.#bell.ring();
    signal.addEventListener("abort", onAbort, { once: true });
    try {
      for (const decision of early?.adopted(scheduler, clock.now()) ?? []) this.#carryOut(decision);
      while (!scheduler.isDone) {
        signal.throwIfAborted();
        this.throwIfFailed();
        if (this.stopped !== undefined) return;
        const now = clock.now();
        this.#makeRoom();
        for (const decision of scheduler.decide(now)) this.#carryOut(decision);
        this.#tellBans();
        this.#giveUpWhenHopeless(now);
        checkpoint.poll(now, scheduler.layout.size - this.#doneBytes);
        chain?.poll(now);
        this.#tell(now);
        const turn = { since: now, clock, isOver: () => this.#isOver };
        await this.#pace.wait(scheduler.lookAgainMs(now), turn);
      }
      this.#tell(Number.POSITIVE_INFINITY);
    } finally {
      signal.removeEventListener("abort", onAbort);
    }
  }

  /** Whether nothing more is to be decided. */
  get #isOver(): boolean {
    const { scheduler, signal } = this.#job;
    return scheduler.isDone || signal.aborted || (this.#failure ?? this.stopped) !== undefined;
  }

  /** Throws what a read, or somebody who listens, failed with. */
  throwIfFailed(): void {
    if (this.#failure !== undefined) throw this.#failure.error;
  }

  /** Ends every read and waits for them: no write may come after the partial is closed. */
  async stop(): Promise<void> {
    for (const { abort } of this.#reads.values()) abort.abort();
    await Promise.all([...this.#reads.values()].map(({ done }) => done));
    const { scheduler, clock } = this.#job;
    scheduler.endAll(clock.now());
    // Once everything is there, whoever proves it need not wait for the disk.
    if (scheduler.isDone && this.#failure === undefined) return;
    const flushed = this.#job.checkpoint.flush();
    // The disk has refused already, and that is being thrown; this only saves what still can be.
    await (this.#failure === undefined ? flushed : flushed.catch(() => {}));
  }

  /** What the reader of a file that is handed on in order has taken makes room for more. */
  #makeRoom(): void {
    const { scheduler, partial } = this.#job;
    const { handoff } = partial.sink;
    if (handoff === undefined) return;
    scheduler.taken(Math.floor(handoff.takenBytes() / scheduler.layout.pieceBytes));
  }

  #carryOut(decision: Decision): void {
    const { lease } = decision;
    switch (decision.kind) {
      case "read":
        this.#start(decision);
        return;
      case "cancel":
        this.#reads.get(lease.id)?.abort.abort();
        if (decision.fault !== undefined) {
          this.#job.onEvent({ event: "fault", replica: lease.replica, fault: decision.fault });
        }
        return;
      default:
        decision satisfies never;
    }
  }

  #start({ lease, bytes, deadlineMs }: Extract<Decision, { kind: "read" }>): void {
    const job = this.#job;
    const replica = job.replicas.get(lease.replica);
    assert(replica !== undefined, `${lease.replica} is configured`);
    const abort = new AbortController();
    const reading = {
      name: job.name,
      early: lease.isEarly ? job.early?.take(lease.replica, abort.signal) : undefined,
      fileDigest: job.agreement.manifest.digest,
      replica,
      lease,
      bytes,
      deadlineMs,
      signal: abort.signal,
      digests: job.digests,
      sink: job.partial.sink,
      scheduler: job.scheduler,
      clock: job.clock,
      bucket: job.bucket,
      spare: this.#spare,
      hasher: job.hasher,
      chain: job.chain,
      onUnproven: ({ replica: from }: Lease) => {
        if (job.scheduler.runsDry(from, job.clock.now())) this.#pace.ring();
      },
      onPiece: (held: Lease, piece: PieceIndex, digest: Uint8Array) =>
        this.#settle(held, piece, digest),
    };
    const done = readLease(reading)
      .then(
        () => job.scheduler.ended(lease, undefined, job.clock.now()),
        (error: unknown) => this.#readFailed(lease, error, abort.signal),
      )
      // A listener threw when it was told of the fault.
      .catch((error: unknown) => this.#fail(error))
      .finally(() => {
        this.#reads.delete(lease.id);
        this.#pace.ring();
      });
    this.#reads.set(lease.id, { abort, done });
  }

  #readFailed(lease: Lease, error: unknown, signal: AbortSignal): void {
    const { scheduler, clock, onEvent } = this.#job;
    if (error instanceof ReplicaFault) {
      if (signal.aborted) return;
      // Nobody had promised that what is read early is there, nor that it is of this file.
      const fault = lease.isEarly ? undefined : error.fault;
      scheduler.ended(lease, fault, clock.now());
      if (fault === undefined) return;
      onEvent({ event: "fault", replica: lease.replica, fault });
      this.#stopIf(this.#objections.faulted(lease.replica, fault));
      return;
    }
    if (signal.aborted && error === signal.reason) return;
    this.#fail(error);
  }

  #fail(error: unknown): void {
    this.#failure ??= { error };
    this.#bell.ring();
  }

  /** Given a reason to stop, ends every read at once: what comes from now on does not count. */
  #stopIf(stop: Stop | undefined): void {
    if (stop === undefined) return;
    this.stopped ??= stop;
    for (const { abort } of this.#reads.values()) abort.abort();
    this.#bell.ring();
  }

  #settle(lease: Lease, piece: PieceIndex, digest: Uint8Array): void {
    const { scheduler, checkpoint, clock } = this.#job;
    const now = clock.now();
    const { isFirst, losers, guilty, runsDry } = scheduler.settled(lease, piece, now);
    for (const loser of losers) this.#reads.get(loser.id)?.abort.abort();
    this.#objections.settled(lease.replica, piece);
    if (isFirst) {
      this.#job.deliveries.came(piece, lease.replica, digest);
      const bytes = pieceLength(scheduler.layout, piece);
      checkpoint.add({ piece, digest }, bytes, now);
      this.#doneBytes += bytes;
      this.#patience.progressed(now);
      this.#job.chain?.moved();
    }
    this.#tellBans();
    if (scheduler.isDone) this.#bell.ring();
    else if (runsDry || guilty.length > 0) this.#pace.ring();
  }

  #tellBans(): void {
    for (const ban of this.#job.scheduler.bans()) this.#job.onEvent({ event: "banned", ...ban });
  }

  #giveUpWhenHopeless(now: number): void {
    const { scheduler, bucket, name, timeoutMs, partial } = this.#job;
    if (scheduler.isHopeless && this.#latecomers.isAwaited(now)) return;
    const isOurs = bucket?.isHolding(now) === true || partial.sink.handoff?.isWaiting() === true;
    const { mostHeldBytes, stoodStillMs } = scheduler;
    const reachedBytes = this.#doneBytes + mostHeldBytes;
    const stuckMs = this.#patience.stuckMs({ reachedBytes, isOurs, stoodStillMs }, now);
    if (scheduler.isHopeless) this.#stopIf(this.#objections.leftAlone());
    if (this.stopped !== undefined) return;
    const error = giveUp({ name, scheduler, stuckMs, timeoutMs });
    if (error !== undefined) throw error;
  }

  #tell(now: number): void {
    const { scheduler, clock, intervalMs, onEvent } = this.#job;
    if (now - this.#toldAt < intervalMs) return;
    this.#toldAt = now;
    onEvent(progressOf(scheduler, this.#doneBytes, clock.now()));
  }
}
