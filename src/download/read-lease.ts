/**
 * Carries out one lease: reads the range, checks every piece before it touches the disk, writes it.
 */

import { type Chunk, type Clock, type Replica, ReplicaFault, type Sink } from "../ports.js";
import type { Lease } from "../schedule/ledger.js";
import { type Layout, type PieceIndex, pieceIndex, pieceLength } from "../schedule/pieces.js";
import type { Range } from "../schedule/range.js";
import type { Scheduler } from "../schedule/scheduler.js";
import type { TokenBucket } from "../schedule/token-bucket.js";
import { type Digest, digestFromRaw } from "../trust/digest.js";
import { leafAt, leafDigest, type PieceDigests } from "../trust/merkle.js";

/** What a lease is read with. */
export interface LeaseReading {
  readonly name: string;
  readonly fileDigest: Digest;
  readonly replica: Replica;
  readonly lease: Lease;
  /** The bytes of the lease as granted; a cut may end it sooner. */
  readonly bytes: Range;
  readonly deadlineMs: number;
  readonly signal: AbortSignal;
  /** What the pieces must be; `undefined` when nobody in the quorum gives pieces. */
  readonly digests: PieceDigests | undefined;
  readonly sink: Sink;
  readonly scheduler: Scheduler;
  readonly clock: Clock;
  /** Shared by all leases, when the whole download is to keep a rate. */
  readonly bucket: TokenBucket | undefined;
  /** A piece is on the disk. */
  readonly onPiece: (lease: Lease, piece: PieceIndex, digest: Uint8Array) => void;
}

/**
 * Reads until the lease's end, which a cut may move closer while it runs. Throws a ReplicaFault for
 * whatever the replica does wrong, a StorageError for the disk, the signal's reason when it is
 * aborted.
 */
export async function readLease(reading: LeaseReading): Promise<void> {
  const { scheduler, lease, clock, signal, bytes } = reading;
  const { layout } = scheduler.ledger;
  const gatherer = new PieceGatherer(layout, lease.start);
  let offset = bytes.start;
  const request = { name: reading.name, range: bytes, ifDigest: reading.fileDigest };
  const call = { signal, deadlineMs: reading.deadlineMs, lane: lease.lane };
  for await (const chunk of reading.replica.read(request, call)) {
    signal.throwIfAborted();
    checkChunk(chunk, offset, bytes.end);
    if (chunk.bytes.length === 0) continue;
    offset += chunk.bytes.length;
    scheduler.arrived(lease, chunk.bytes.length, clock.now());
    const holdMs = reading.bucket?.take(chunk.bytes.length, clock.now()) ?? 0;
    if (holdMs > 0) await clock.sleep(holdMs, signal);
    for (const { piece, content } of gatherer.add(chunk.bytes)) {
      await accept(reading, piece, content);
      if (lease.next >= lease.end) return;
    }
    scheduler.awaiting(lease, clock.now());
  }
  signal.throwIfAborted();
  const detail = `the stream ended at byte ${offset} of ${bytes.start}–${bytes.end}`;
  throw new ReplicaFault({ kind: "short", detail });
}

/** Verifies a piece in memory, then writes it at its place: no unverified byte reaches the disk. */
async function accept(reading: LeaseReading, piece: number, content: Uint8Array): Promise<void> {
  const { digests, sink, signal, lease } = reading;
  const digest = leafDigest(content);
  if (digests !== undefined) {
    const expected = leafAt(digests, piece);
    if (Buffer.compare(expected, digest) !== 0) {
      const evidence = {
        piece,
        expected: digestFromRaw(expected),
        actual: digestFromRaw(digest),
        atMs: reading.clock.now(),
      };
      throw new ReplicaFault({ kind: "corrupt", detail: `piece ${piece} is wrong`, evidence });
    }
  }
  await sink.write(piece * reading.scheduler.ledger.layout.pieceBytes, content);
  signal.throwIfAborted();
  reading.onPiece(lease, pieceIndex(piece), digest);
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

/** Cuts a stream of chunks into pieces; a piece that lies whole in one chunk is not copied. */
export class PieceGatherer {
  readonly #layout: Layout;
  #piece: number;
  #buffer: Uint8Array | undefined;
  #filled = 0;

  constructor(layout: Layout, first: number) {
    this.#layout = layout;
    this.#piece = first;
  }

  /**
   * The pieces that these bytes complete. Each content is valid until the next one is asked for.
   */
  *add(bytes: Uint8Array): Generator<{ readonly piece: number; readonly content: Uint8Array }> {
    let from = 0;
    while (from < bytes.length) {
      const length = pieceLength(this.#layout, this.#piece);
      const taken = Math.min(length - this.#filled, bytes.length - from);
      const part = bytes.subarray(from, from + taken);
      from += taken;
      if (taken === length) {
        yield { piece: this.#piece++, content: part };
        continue;
      }
      this.#buffer ??= Buffer.allocUnsafeSlow(this.#layout.pieceBytes);
      this.#buffer.set(part, this.#filled);
      this.#filled += taken;
      if (this.#filled < length) continue;
      this.#filled = 0;
      yield { piece: this.#piece++, content: this.#buffer.subarray(0, length) };
    }
  }
}
