/**
 * Carries out one lease: reads the range, writes every piece, and settles it once it is verified.
 */

import { limits } from "../limits.js";
import { type Chunk, ReplicaFault } from "../ports.js";
import type { LeaseReading } from "./lease-reading.js";
import { PieceGatherer } from "./piece-gatherer.js";
import { Stretch } from "./stretch.js";

/**
 * Reads until the lease's end, which a cut may move closer while it runs. Throws a ReplicaFault for
 * whatever the replica does wrong, a StorageError for the disk, the signal's reason when it is
 * aborted.
 */
export async function readLease(reading: LeaseReading): Promise<void> {
  const stretch = new Stretch(reading, stretchPieces(reading));
  try {
    await read(reading, stretch);
    // Its memory goes to other leases now, rather than once the chain has proven the last pieces.
    stretch.end();
    await stretch.settled();
  } catch (error) {
    // The replica failed, but the pieces that came before are kept.
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
 * How many pieces of a lease are written together: as many as come in a few milliseconds, since
 * each write costs a change of threads. One, where pieces cannot be checked, so that each is one
 * replica's; and one for a handoff, where they are taken one by one.
 */
function stretchPieces({ digests, sink, lease, scheduler, clock }: LeaseReading): number {
  if (digests === undefined || sink.handoff !== undefined) return 1;
  const rate = scheduler.knownRate(lease.replica, clock.now()) ?? 0;
  const bytes = Math.min(limits.stretchBytes, (rate * limits.stretchMs) / 1000);
  return Math.max(1, Math.floor(bytes / scheduler.layout.pieceBytes));
}

/** A stream may end early with OK, and an offset may be anything: bytes are counted. */
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
