/** One lease: whatever comes, only right pieces are written, and what is wrong has its name. */

import assert from "node:assert/strict";
import type { LeaseReading } from "../../src/download/lease-reading.js";
import { readLease } from "../../src/download/read-lease.js";
import { SpareMemory } from "../../src/download/spare-memory.js";
import { StorageError } from "../../src/errors.js";
import { type Replica, ReplicaFault } from "../../src/ports.js";
import type { Lease } from "../../src/schedule/ledger.js";
import { RangeSet } from "../../src/schedule/range.js";
import { Scheduler } from "../../src/schedule/scheduler.js";
import { TokenBucket } from "../../src/schedule/token-bucket.js";
import {
  altered,
  corruptAt,
  dyingAfter,
  endingEarly,
  misplacing,
  overrunning,
  paced,
  refusing,
  reordering,
  withoutBytes,
} from "../support/broken-replica.js";
import { FakeClock } from "../support/fake-clock.js";
import { memoryPartial, memoryStore } from "../support/memory-partial.js";
import { A, manifest, readingOf } from "./fast-lease.js";
import { content, honest, name, pieceBytes } from "./small-download.js";

/** A lease on the first pieces, and what became of it. */
class OneLease {
  readonly clock = new FakeClock();
  readonly scheduler = new Scheduler(manifest, { verified: RangeSet.empty, random: () => 0.5 });
  readonly abort = new AbortController();
  readonly spare = new SpareMemory();
  readonly lease: Lease;
  readonly written: number[] = [];
  readonly settled: number[] = [];
  /** Called before each write. */
  beforeWrite = () => {};

  constructor(pieces: number) {
    const { ledger } = this.scheduler;
    this.scheduler.join(A);
    ledger.assign(A, RangeSet.of({ start: 0, end: pieces }));
    this.lease = ledger.open(A, pieces);
  }

  async read(replica: Replica, changes: Partial<LeaseReading> = {}): Promise<void> {
    const { sink } = await memoryPartial(memoryStore(), manifest);
    const watched = {
      ...sink,
      write: async (offset: number, bytes: Uint8Array) => {
        this.beforeWrite();
        await sink.write(offset, bytes);
        const wanted = content.subarray(offset, offset + bytes.length);
        assert.equal(Buffer.compare(bytes, wanted), 0, "only right bytes reach the disk");
        for (let at = offset; at < offset + bytes.length; at += pieceBytes) {
          this.written.push(at / pieceBytes);
        }
      },
    };
    await readLease({ ...readingOf(this, replica, watched), ...changes });
  }

  async faultOf(replica: Replica): Promise<string> {
    try {
      await this.read(replica);
    } catch (error) {
      if (error instanceof ReplicaFault) return error.fault.kind;
      throw error;
    }
    return "none";
  }
}

const upTo = (count: number) => Array.from({ length: count }, (_, index) => index);

describe("a lease", () => {
  const chunkings = [100, 4096, pieceBytes - 1, pieceBytes, pieceBytes + 1, 150_000, 2_000_000];
  for (const chunkBytes of chunkings) {
    it(`is filled from chunks of ${chunkBytes} bytes`, async () => {
      const one = new OneLease(20);
      const left = chunkBytes === 100 ? 4 : 20;
      if (left < 20) one.scheduler.ledger.cut(A, 20 - left);
      await one.read(honest(content, chunkBytes));
      assert.deepEqual([one.written, one.settled], [upTo(left), upTo(left)]);
    });
  }

  it("that a cut shortens while it runs ends where it is cut, and the stream is let go", async () => {
    const one = new OneLease(10);
    let isOpen = false;
    const replica = altered(honest(content, 1000), {
      async *read(request, call) {
        isOpen = true;
        try {
          yield* honest(content, 1000).read(request, call);
        } finally {
          isOpen = false;
        }
      },
    });
    one.beforeWrite = () => {
      if (one.lease.next === 2) one.scheduler.ledger.cut(A, 5);
    };
    await one.read(replica);
    assert.deepEqual(one.settled, upTo(5));
    assert.equal(isOpen, false);
  });

  it("without a piece list is written as it comes", async () => {
    const one = new OneLease(3);
    await one.read(honest(), { digests: undefined });
    assert.deepEqual(one.settled, upTo(3));
  });

  it("asks for the agreed file, the range, and tells the deadline", async () => {
    const one = new OneLease(2);
    const asked: unknown[] = [];
    const replica = altered(honest(), {
      read(request, call) {
        asked.push(request, call.deadlineMs);
        return honest().read(request, call);
      },
    });
    await one.read(replica);
    const range = { start: 0, end: 2 * pieceBytes };
    assert.deepEqual(asked, [{ name, range, ifDigest: manifest.digest }, 300_000]);
  });

  it("keeps to the rate that all share", async () => {
    const one = new OneLease(10);
    const startedAt = one.clock.now();
    await one.read(honest(content, 5000), { bucket: new TokenBucket(100_000) });
    const seconds = (one.clock.now() - startedAt) / 1000;
    const ideal = (10 * pieceBytes) / 100_000;
    assert.ok(seconds > 0.95 * ideal && seconds < 1.05 * ideal, `${seconds} s, not ${ideal} s`);
  });
});

describe("a stream that is broken", () => {
  const cases: readonly (readonly [string, Replica, fault: string, settled: number])[] = [
    ["ends early as if that were all", endingEarly(honest()), "short", 2],
    ["sends more than it was asked for", overrunning(honest()), "short", 3],
    ["sends more, in one chunk", overrunning(honest(content, 4 * pieceBytes)), "short", 0],
    ["says a wrong offset", misplacing(honest()), "short", 0],
    ["sends chunks in another order", reordering(honest(content, 5000)), "short", 0],
    ["breaks", dyingAfter(honest(), 2), "unreachable", 2],
    ["is of another file", refusing(honest(), { kind: "changed", detail: "" }), "changed", 0],
    ["is of a file of another digest", honest(content.subarray(1)), "changed", 0],
    ["is corrupt at its start", corruptAt(honest(), 0), "corrupt", 0],
    ["is corrupt later", corruptAt(honest(), 3 * pieceBytes - 1), "corrupt", 2],
    ["is corrupt in small chunks", corruptAt(honest(content, 999), 70_000), "corrupt", 1],
  ];
  for (const [title, replica, fault, settled] of cases) {
    it(`because it ${title} is ${fault}, and what was right before is kept`, async () => {
      const one = new OneLease(4);
      assert.equal(await one.faultOf(replica), fault);
      assert.deepEqual([one.written, one.settled], [upTo(settled), upTo(settled)]);
    });
  }

  it("because it is corrupt carries the evidence", async () => {
    const one = new OneLease(4);
    await assert.rejects(one.read(corruptAt(honest(), pieceBytes)), (error) => {
      assert.ok(error instanceof ReplicaFault && error.fault.kind === "corrupt");
      const { evidence } = error.fault;
      assert.equal(evidence?.piece, 1);
      assert.match(evidence.expected, /^sha256:[0-9a-f]{64}$/);
      assert.notEqual(evidence.actual, evidence.expected);
      assert.equal(evidence.atMs, one.clock.now());
      return true;
    });
  });
});

describe("a lease that is aborted", () => {
  const reason = new Error("enough");
  it("while it waits for bytes ends with the reason", async () => {
    const one = new OneLease(4);
    const reading = one.read(withoutBytes(honest(), one.clock));
    one.abort.abort(reason);
    await assert.rejects(reading, (error) => error === reason);
  });
  it("while it holds bytes back ends with the reason, and writes no more", async () => {
    const one = new OneLease(4);
    const reading = one.read(honest(), { bucket: new TokenBucket(1024) });
    void one.clock.sleep(70_000).then(() => one.abort.abort(reason));
    await assert.rejects(reading, (error) => error === reason);
    assert.deepEqual(one.written, [0]);
  });
  it("during a write settles nothing more", async () => {
    const one = new OneLease(4);
    one.beforeWrite = () => {
      if (one.settled.length === 1) one.abort.abort(reason);
    };
    await assert.rejects(one.read(honest(content, pieceBytes)), (error) => error === reason);
    assert.deepEqual(one.settled, [0]);
  });
});

describe("a lease whose disk refuses", () => {
  it("ends with the disk's error, and the piece is not settled", async () => {
    const one = new OneLease(4);
    one.beforeWrite = () => {
      if (one.settled.length === 2) throw new StorageError("write: no space left");
    };
    await assert.rejects(one.read(paced(honest(), one.clock, { rate: 1e6 })), StorageError);
    assert.deepEqual(one.settled, [0, 1]);
  });
});
