import assert from "node:assert/strict";
import { Checkpoint } from "../../src/download/checkpoint.js";
import { StorageError } from "../../src/errors.js";
import { limits } from "../../src/limits.js";
import type { JournalRecord } from "../../src/ports.js";
import { pieceIndex } from "../../src/schedule/pieces.js";

const record = (piece: number): JournalRecord => {
  return { piece: pieceIndex(piece), digest: Buffer.alloc(32, piece) };
};

const turn = () => new Promise((resolve) => setImmediate(resolve));

/** A disk that says what it was told, and whose syncs end when a test says so. */
class SlowDisk {
  readonly told: string[] = [];
  readonly #waiting: (() => void)[] = [];
  failsAt: "sync" | "append" | undefined;
  isHeld = false;

  readonly sink = {
    write: async () => {},
    read: async () => 0,
    sync: () => this.#carryOut("sync", "sync"),
  };
  readonly journal = {
    claimed: undefined,
    append: (records: readonly JournalRecord[]) =>
      this.#carryOut("append", `append ${records.map(({ piece }) => piece).join(",")}`),
  };

  /** Lets the operation that runs end. */
  async release(): Promise<void> {
    this.#waiting.shift()?.();
    await turn();
  }

  async #carryOut(kind: "sync" | "append", what: string): Promise<void> {
    this.told.push(what);
    if (this.isHeld) await new Promise<void>((resolve) => this.#waiting.push(resolve));
    if (this.failsAt === kind) throw new StorageError(`${kind}: no space left`);
  }
}

describe("a checkpoint", () => {
  it("syncs the bytes before the journal vouches for them", async () => {
    const disk = new SlowDisk();
    const checkpoint = new Checkpoint(disk, 0);
    checkpoint.add(record(3), 10);
    checkpoint.add(record(1), 10);
    await checkpoint.flush();
    assert.deepEqual(disk.told, ["sync", "append 3,1"]);
  });

  it("appends nothing before the sync is done", async () => {
    const disk = new SlowDisk();
    disk.isHeld = true;
    const checkpoint = new Checkpoint(disk, 0);
    checkpoint.add(record(1), 10);
    const flushed = checkpoint.flush();
    await turn();
    assert.deepEqual(disk.told, ["sync"]);
    await disk.release();
    assert.deepEqual(disk.told, ["sync", "append 1"]);
    await disk.release();
    await flushed;
  });

  it("is not due before its time", async () => {
    const disk = new SlowDisk();
    const checkpoint = new Checkpoint(disk, 100);
    checkpoint.add(record(1), 10);
    checkpoint.poll(100 + limits.checkpointMs - 1);
    await turn();
    assert.deepEqual(disk.told, []);
    checkpoint.poll(100 + limits.checkpointMs);
    await turn();
    assert.deepEqual(disk.told, ["sync", "append 1"]);
  });

  it("its time begins again with each one", async () => {
    const disk = new SlowDisk();
    const checkpoint = new Checkpoint(disk, 0);
    checkpoint.add(record(1), 10);
    checkpoint.poll(5000);
    await turn();
    checkpoint.add(record(2), 10);
    checkpoint.poll(5000 + limits.checkpointMs - 1);
    await turn();
    assert.deepEqual(disk.told, ["sync", "append 1"]);
  });

  it("is due at once when so many bytes are pending", async () => {
    const disk = new SlowDisk();
    const checkpoint = new Checkpoint(disk, 0);
    checkpoint.add(record(1), limits.checkpointBytes - 1);
    checkpoint.poll(0);
    await turn();
    assert.deepEqual(disk.told, []);
    checkpoint.add(record(2), 1);
    checkpoint.poll(0);
    await turn();
    assert.deepEqual(disk.told, ["sync", "append 1,2"]);
    checkpoint.add(record(3), 1);
    checkpoint.poll(1);
    await turn();
    assert.equal(disk.told.length, 2, "the bytes are counted from 0 again");
  });

  it("does nothing when there is nothing to vouch for", async () => {
    const disk = new SlowDisk();
    const checkpoint = new Checkpoint(disk, 0);
    checkpoint.poll(1e9);
    await checkpoint.flush();
    assert.deepEqual(disk.told, []);
  });

  it("runs one at a time, and what came meanwhile waits for the next", async () => {
    const disk = new SlowDisk();
    disk.isHeld = true;
    const checkpoint = new Checkpoint(disk, 0);
    checkpoint.add(record(1), 10);
    checkpoint.poll(5000);
    checkpoint.add(record(2), 10);
    checkpoint.poll(10_000);
    await turn();
    assert.deepEqual(disk.told, ["sync"]);
    const flushed = checkpoint.flush();
    for (let operation = 0; operation < 4; operation++) await disk.release();
    await flushed;
    assert.deepEqual(disk.told, ["sync", "append 1", "sync", "append 2"]);
  });

  for (const operation of ["sync", "append"] as const) {
    it(`a failed ${operation} is final: thrown by every poll and flush, never tried again`, async () => {
      const disk = new SlowDisk();
      disk.failsAt = operation;
      const checkpoint = new Checkpoint(disk, 0);
      checkpoint.add(record(1), 10);
      checkpoint.poll(5000);
      await turn();
      const told = disk.told.length;
      disk.failsAt = undefined;
      checkpoint.add(record(2), 10);
      assert.throws(() => checkpoint.poll(10_000), StorageError);
      await assert.rejects(checkpoint.flush(), StorageError);
      assert.throws(() => checkpoint.poll(20_000), StorageError);
      assert.equal(disk.told.length, told);
    });
  }

  it("a flush whose sync fails says so, and so does the next", async () => {
    const disk = new SlowDisk();
    disk.failsAt = "sync";
    const checkpoint = new Checkpoint(disk, 0);
    checkpoint.add(record(1), 10);
    await assert.rejects(checkpoint.flush(), StorageError);
    disk.failsAt = undefined;
    await assert.rejects(checkpoint.flush(), StorageError);
    assert.deepEqual(disk.told, ["sync"]);
  });
});
