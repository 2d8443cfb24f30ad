/** A lease on a whole small file, from a replica that was seen to be fast. */

import assert from "node:assert/strict";
import type { LeaseReading } from "../../src/download/lease-reading.js";
import { readLease } from "../../src/download/read-lease.js";
import { SpareMemory } from "../../src/download/spare-memory.js";
import { limits } from "../../src/limits.js";
import type { Replica, Sink } from "../../src/ports.js";
import type { Lease } from "../../src/schedule/ledger.js";
import { RangeSet } from "../../src/schedule/range.js";
import { Scheduler } from "../../src/schedule/scheduler.js";
import { replicaId } from "../../src/trust/quorum.js";
import { paced } from "../support/broken-replica.js";
import { FakeClock } from "../support/fake-clock.js";
import { type MemoryStore, memoryPartial, memoryStore } from "../support/memory-partial.js";
import { manifestOfBytes } from "../support/memory-replica.js";
import { content, name, pieceBytes } from "./small-download.js";

export const manifest = manifestOfBytes(content);
/** Whose lease it is. */
export const A = replicaId("A");

/** A lease, what it is read with, and the pieces of it that are settled. */
interface LeaseWorld extends Pick<LeaseReading, "clock" | "scheduler" | "lease" | "spare"> {
  readonly abort: AbortController;
  readonly settled: number[];
}

/** What reading a lease of the small file from this replica takes. */
export function readingOf(world: LeaseWorld, replica: Replica, sink: Sink): LeaseReading {
  const { clock, scheduler, lease, spare, abort, settled } = world;
  return {
    name,
    replica,
    lease,
    scheduler,
    clock,
    sink,
    spare,
    bucket: undefined,
    fileDigest: manifest.digest,
    digests: manifest.pieces,
    deadlineMs: 300_000,
    bytes: { start: 0, end: Math.min(lease.end * pieceBytes, content.length) },
    signal: abort.signal,
    onPiece: (held, piece) => {
      settled.push(piece);
      scheduler.settled(held, piece, clock.now());
    },
  };
}

/** A lease on all pieces, from a replica that was seen to send so many pieces in `stretchMs`. */
export class FastLease {
  readonly clock = new FakeClock();
  readonly scheduler = new Scheduler(manifest, { verified: RangeSet.empty, random: () => 0.5 });
  readonly abort = new AbortController();
  readonly store: MemoryStore = memoryStore();
  readonly spare: SpareMemory;
  readonly lease: Lease;
  readonly #pieces: number;
  readonly writes: string[] = [];
  readonly settled: number[] = [];
  /** Called while a write is under way. */
  whileWriting = () => {};

  constructor(pieces: number, spare = new SpareMemory()) {
    this.#pieces = pieces;
    this.spare = spare;
    const { ledger, scoreboard } = this.scheduler;
    this.scheduler.join(A);
    scoreboard.startFlow(A, 0);
    const step = limits.stretchMs;
    for (let at = step; at <= 1000; at += step) {
      scoreboard.addArrived(A, (pieces + 0.5) * pieceBytes, at);
    }
    scoreboard.stopFlow(A, 1000);
    ledger.assign(A, RangeSet.of({ start: 0, end: manifest.pieceCount }));
    this.lease = ledger.open(A, manifest.pieceCount);
  }

  /** The disk; what is written must be right, unless somebody else says what is. */
  async disk({ isProvenLater = false } = {}): Promise<Sink> {
    const { sink } = await memoryPartial(this.store, manifest);
    return {
      ...sink,
      write: async (offset, bytes) => {
        // What is being written is nobody's to use.
        this.spare.take(1).fill(255);
        const wanted = content.subarray(offset, offset + bytes.length);
        const isRight = Buffer.compare(bytes, wanted) === 0;
        assert.ok(isRight || isProvenLater, "only right bytes reach the disk");
        this.writes.push(`${offset / pieceBytes}+${Math.ceil(bytes.length / pieceBytes)}`);
        await sink.write(offset, bytes);
        this.whileWriting();
      },
    };
  }

  async read(replica: Replica, changes: Partial<LeaseReading> = {}): Promise<void> {
    const { clock } = this;
    const sink = changes.sink ?? (await this.disk());
    // Time passes with the bytes, or else there is none between the first and the last.
    const rate = (3000 * this.#pieces * pieceBytes) / limits.stretchMs;
    const slowed = paced(replica, clock, { rate, latencyMs: 0 });
    await readLease({ ...readingOf(this, slowed, sink), ...changes });
  }
}
