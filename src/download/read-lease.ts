/**
 * Carries out one lease: reads the range, writes every piece, and settles it once it is verified.
 */

import type { LeafHasher } from "../hash-ports.js";
import { limits } from "../limits.js";
import { type Chunk, type Clock, type Replica, ReplicaFault, type Sink } from "../ports.js";
import type { Lease } from "../schedule/ledger.js";
import type { PieceIndex } from "../schedule/pieces.js";
import type { Range } from "../schedule/range.js";
import type { Scheduler } from "../schedule/scheduler.js";
import type { TokenBucket } from "../schedule/token-bucket.js";
import type { Digest } from "../trust/digest.js";
import type { PieceDigests } from "../trust/merkle.js";
import type { Chain } from "./chain.js";
import { PieceGatherer } from "./piece-gatherer.js";
import type { SpareMemory } from "./spare-memory.js";
import { Stretch } from "./stretch.js";

/** What a lease is read with. */
export interface LeaseReading {
  readonly name: string;
  readonly fileDigest: Digest;
  readonly replica: Replica;
  /** What comes of it already, when it began before. */
  readonly early?: AsyncIterable<Chunk> | undefined;
  readonly lease: Lease;
  /** The bytes of the lease as granted; a cut may end it sooner. */
  readonly bytes: Range;
  readonly deadlineMs: number;
  readonly signal: AbortSignal;
  /**
   * What the pieces must be: a piece that comes before it is known waits for it. `undefined` when
   * nobody in the quorum gives pieces.
   */
  readonly digests: PieceDigests | Promise<PieceDigests> | undefined;
  readonly sink: Sink;
  readonly scheduler: Scheduler;
  readonly clock: Clock;
  /** Shared by all leases, when the whole download is to keep a rate. */
  readonly bucket: TokenBucket | undefined;
  /** Shared by all leases: what pieces are held in until they are written. */
  readonly spare: SpareMemory;
  /** Hashes what lies in the spare memory; else the thread does that reads. */
  readonly hasher?: LeafHasher | undefined;
  /** Proves what lies near the frontier of a fast download; else each piece is hashed by itself. */
  readonly chain?: Chain | undefined;
  /** Pieces are written, and left to the chain. */
  readonly onUnproven?: (lease: Lease) => void;
  /** A piece is on the disk. */
  readonly onPiece: (lease: Lease, piece: PieceIndex, digest: Uint8Array) => void;
}

/**
 * Reads until the lease's end, which a cut may move closer while it runs. Throws a ReplicaFault for
 * whatever the replica does wrong, a StorageError for the disk, the signal's reason when it is
 * aborted.
 */
export async function readLease(reading: LeaseReading): Promise<void> {
  const stretch = new Stretch(reading, stretchPieces(reading));
  try {
    await read(reading, stretch);
    // Others can do with its memory.
    stretch.end();
    await stretch.settled();
  } catch (error) {
    // What was right before is not lost with what is wrong now.
    if (!reading.signal.aborted) {
      await stretch.write();
      await stretch.settled();
    }
    throw error;
  } finally {
    stretch.end();
  }
}

async function read(reading: LeaseReading, stretch: Stretch): Promise<void> {
  const { scheduler, lease, clock, signal, bytes } = reading;
  const gatherer = new PieceGatherer(scheduler.layout, lease.start, () => stretch.room());
  let offset = bytes.start;
  const request = { name: reading.name, range: bytes, ifDigest: reading.fileDigest };
  const call = { signal, deadlineMs: reading.deadlineMs, lane: lease.lane };
  const chunks = stretch.writtenInSilence(reading.early ?? reading.replica.read(request, call));
  for await (const chunk of chunks) {
    signal.throwIfAborted();
    checkChunk(chunk, offset, bytes.end);
    if (chunk.bytes.length === 0) continue;
    offset += chunk.bytes.length;
    scheduler.arrived(lease, chunk.bytes.length, clock.now());
    const holdMs = reading.bucket?.take(chunk.bytes.length, clock.now()) ?? 0;
    if (holdMs > 0) await clock.sleep(holdMs, signal);
    for (const gathered of gatherer.add(chunk.bytes, () => stretch.most)) {
      stretch.hold(gathered);
      if (!stretch.isFull && gathered.piece + gathered.pieces < lease.end) continue;
      await stretch.write();
      if (gathered.piece + gathered.pieces >= lease.end) return;
    }
    scheduler.awaiting(lease, clock.now());
  }
  signal.throwIfAborted();
  const detail = `the stream ended at byte ${offset} of ${bytes.start}–${bytes.end}`;
  throw new ReplicaFault({ kind: "short", detail });
}

/**
 * How many pieces of a lease are written together: as many as come in a few milliseconds, since a
 * write costs a change of threads. One at a time where nobody can say that they are right, so that
 * each piece is one replica's, and for somebody who takes them in order.
 */
function stretchPieces({ digests, sink, lease, scheduler, clock }: LeaseReading): number {
  if (digests === undefined || sink.handedOn !== undefined) return 1;
  const rate = scheduler.knownRate(lease.replica, clock.now()) ?? 0;
  const bytes = Math.min(limits.stretchBytes, (rate * limits.stretchMs) / 1000);
  return Math.max(1, Math.floor(bytes / scheduler.layout.pieceBytes));
}

/** The end of a stream says nothing about completeness, and an offset may be anything: count. */
export function checkChunk(chunk: Chunk, offset: number, end: number): void {
  if (chunk.offset !== offset) {
    const detail = `a chunk came for byte ${chunk.offset} where ${offset} was due`;
    throw new ReplicaFault({ kind: "short", detail });
  }
  if (chunk.bytes.length > end - offset) {
    const detail = `${chunk.bytes.length - (end - offset)} bytes more than asked for`;
    throw new ReplicaFault({ kind: "short", detail });
  }
}
