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

type Kind = "append" | "sync" | "journal";

/** A disk that says what it was told, and whose operations end when a test says so. */
class SlowDisk {
  readonly told: string[] = [];
  readonly #waiting: (() => void)[] = [];
  failsAt: Kind | undefined;
  /** Which operations wait until they are released. */
  holds: readonly Kind[] = [];

  readonly sink = {
    write: async () => {},
    read: async () => 0,
    sync: () => this.#carryOut("sync", "sync"),
  };
  readonly journal = {
    claimed: undefined,
    disown: async () => {},
    append: (records: readonly JournalRecord[]) =>
      this.#carryOut("append", `append ${records.map(({ piece }) => piece).join(",")}`),
    sync: async (syncBytes: () => Promise<void>, isLast = false) => {
      await syncBytes();
      if (!isLast) await this.#carryOut("journal", "journal");
    },
  };

  /** Lets the operation that has waited longest end. */
  async release(): Promise<void> {
    this.#waiting.shift()?.();
    await turn();
  }

  async #carryOut(kind: Kind, what: string): Promise<void> {
    this.told.push(what);
    if (this.holds.includes(kind))
      await new Promise<void>((resolve) => this.#waiting.push(resolve));
    if (this.failsAt === kind) throw new StorageError(`${kind}: no space left`);
  }
}

describe("the journal's records", () => {
  it("are appended as soon as pieces come, and wait for no sync", async () => {
    const disk = new SlowDisk();
    disk.holds = ["sync"];
    const checkpoint = new Checkpoint(disk, 0);
    checkpoint.add(record(3), limits.checkpointBytes, limits.journalMs);
    checkpoint.poll(limits.journalMs);
    await turn();
    assert.deepEqual(disk.told, ["append 3", "sync"]);
    checkpoint.add(record(4), 10, 2 * limits.journalMs);
    await turn();
    assert.deepEqual(disk.told, ["append 3", "sync", "append 4"]);
  });

  it("are appended together when they come soon after one another", async () => {
    const disk = new SlowDisk();
    const checkpoint = new Checkpoint(disk, 0);
    checkpoint.add(record(1), 10, limits.journalMs);
    await turn();
    for (const piece of [2, 3]) checkpoint.add(record(piece), 10, 2 * limits.journalMs - 1);
    checkpoint.poll(2 * limits.journalMs - 1);
    await turn();
    assert.deepEqual(disk.told, ["append 1"]);
    checkpoint.poll(2 * limits.journalMs);
    await turn();
    assert.deepEqual(disk.told, ["append 1", "append 2,3"]);
  });

  it("are appended by one write at a time", async () => {
    const disk = new SlowDisk();
    disk.holds = ["append"];
    const checkpoint = new Checkpoint(disk, 0);
    for (const piece of [1, 2, 3]) checkpoint.add(record(piece), 10, piece * limits.journalMs);
    await turn();
    assert.deepEqual(disk.told, ["append 1"]);
    await disk.release();
    checkpoint.poll(4 * limits.journalMs);
    await turn();
    assert.deepEqual(disk.told, ["append 1", "append 2,3"]);
  });
});

describe("a checkpoint", () => {
  it("appends what came, syncs the bytes, then the journal", async () => {
    const disk = new SlowDisk();
    const checkpoint = new Checkpoint(disk, 0);
    checkpoint.add(record(3), 10, 0);
    checkpoint.add(record(1), 10, 0);
    await checkpoint.flush();
    assert.deepEqual(disk.told, ["append 3,1", "sync", "journal"]);
  });

  it("waits for an append under way, and takes along what came meanwhile", async () => {
    const disk = new SlowDisk();
    disk.holds = ["append"];
    const checkpoint = new Checkpoint(disk, 0);
    checkpoint.add(record(1), 10, limits.journalMs);
    checkpoint.add(record(2), 10, limits.journalMs);
    const flushed = checkpoint.flush();
    await turn();
    assert.deepEqual(disk.told, ["append 1"]);
    await disk.release();
    assert.deepEqual(disk.told, ["append 1", "append 2"]);
    await disk.release();
    await flushed;
    assert.deepEqual(disk.told, ["append 1", "append 2", "sync", "journal"]);
  });

  it("is not due before its time", async () => {
    const disk = new SlowDisk();
    const checkpoint = new Checkpoint(disk, 100);
    checkpoint.add(record(1), 10, 100);
    checkpoint.poll(100 + limits.checkpointMs - 1);
    await turn();
    assert.deepEqual(disk.told, ["append 1"]);
    checkpoint.poll(100 + limits.checkpointMs);
    await turn();
    assert.deepEqual(disk.told, ["append 1", "sync", "journal"]);
  });

  it("is due when no more is still to come than was written, but not at the very end", async () => {
    const disk = new SlowDisk();
    const checkpoint = new Checkpoint(disk, 0);
    const isDue = async (comingBytes: number) => {
      disk.told.length = 0;
      checkpoint.poll(1, comingBytes);
      await turn();
      return disk.told.includes("sync");
    };
    checkpoint.add(record(1), limits.endingBytes, 0);
    assert.equal(await isDue(limits.endingBytes + 1), false);
    assert.equal(await isDue(limits.endingBytes - 1), false);
    assert.equal(await isDue(limits.endingBytes), true);
  });

  it("its time begins again with each one", async () => {
    const disk = new SlowDisk();
    const checkpoint = new Checkpoint(disk, 0);
    checkpoint.add(record(1), 10, 0);
    checkpoint.poll(5000);
    await turn();
    checkpoint.add(record(2), 10, 5000);
    checkpoint.poll(5000 + limits.checkpointMs - 1);
    await turn();
    assert.deepEqual(disk.told, ["append 1", "sync", "journal", "append 2"]);
  });

  it("is due at once when so many bytes are not synced, journaled or not", async () => {
    const disk = new SlowDisk();
    const checkpoint = new Checkpoint(disk, 0);
    checkpoint.add(record(1), limits.checkpointBytes - 1, limits.journalMs);
    checkpoint.poll(limits.journalMs);
    await turn();
    assert.deepEqual(disk.told, ["append 1"]);
    checkpoint.add(record(2), 1, limits.journalMs);
    checkpoint.poll(limits.journalMs);
    await turn();
    const told = ["append 1", "append 2", "sync", "journal"];
    assert.deepEqual(disk.told, told);
    checkpoint.add(record(3), 1, limits.journalMs);
    checkpoint.poll(limits.journalMs + 1);
    await turn();
    assert.deepEqual(disk.told, told, "the bytes are counted from 0 again");
  });

  it("makes durable what was journaled long before it is due", async () => {
    const disk = new SlowDisk();
    const checkpoint = new Checkpoint(disk, 0);
    checkpoint.add(record(1), 10, limits.journalMs);
    await turn();
    await checkpoint.flush();
    assert.deepEqual(disk.told, ["append 1", "sync", "journal"]);
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
    disk.holds = ["sync"];
    const checkpoint = new Checkpoint(disk, 0);
    checkpoint.add(record(1), 10, 0);
    checkpoint.poll(5000);
    await turn();
    checkpoint.add(record(2), 10, 10_000);
    checkpoint.poll(10_000);
    await turn();
    assert.deepEqual(disk.told, ["append 1", "sync", "append 2"]);
    const flushed = checkpoint.flush();
    await disk.release();
    await disk.release();
    await flushed;
    assert.deepEqual(disk.told, ["append 1", "sync", "append 2", "journal", "sync", "journal"]);
  });

  for (const operation of ["append", "sync", "journal"] as const) {
    it(`a failed ${operation} is final: thrown by every poll and flush, never tried again`, async () => {
      const disk = new SlowDisk();
      disk.failsAt = operation;
      const checkpoint = new Checkpoint(disk, 0);
      checkpoint.add(record(1), 10, 0);
      checkpoint.poll(5000);
      await turn();
      const told = disk.told.length;
      disk.failsAt = undefined;
      checkpoint.add(record(2), 10, 10_000);
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
    checkpoint.add(record(1), 10, 0);
    await assert.rejects(checkpoint.flush(), StorageError);
    disk.failsAt = undefined;
    await assert.rejects(checkpoint.flush(), StorageError);
    assert.deepEqual(disk.told, ["append 1", "sync"]);
  });

  it("an append that fails while a flush waits for it makes the flush fail", async () => {
    const disk = new SlowDisk();
    disk.holds = ["append"];
    const checkpoint = new Checkpoint(disk, 0);
    checkpoint.add(record(1), 10, limits.journalMs);
    const flushed = assert.rejects(checkpoint.flush(), StorageError);
    disk.failsAt = "append";
    await disk.release();
    await flushed;
    assert.deepEqual(disk.told, ["append 1"]);
  });

  it("the last flush syncs beside the journal's last append, and waits for both", async () => {
    const disk = new SlowDisk();
    disk.holds = ["append", "sync"];
    const checkpoint = new Checkpoint(disk, 0);
    checkpoint.add(record(1), 10, 0);
    let isOver = false;
    const flushed = checkpoint.flush(true).then(() => {
      isOver = true;
    });
    await turn();
    assert.deepEqual(disk.told, ["append 1", "sync"]);
    await disk.release();
    assert.ok(!isOver, "the bytes are still synced");
    await disk.release();
    await flushed;
  });

  for (const operation of ["append", "sync"] as const) {
    it(`the last flush fails with its ${operation}, once nothing is written any more`, async () => {
      const disk = new SlowDisk();
      disk.failsAt = operation;
      disk.holds = [operation === "append" ? "sync" : "append"];
      const checkpoint = new Checkpoint(disk, 0);
      checkpoint.add(record(1), 10, 0);
      let isOver = false;
      const flushed = assert.rejects(checkpoint.flush(true), StorageError).finally(() => {
        isOver = true;
      });
      await turn();
      assert.ok(!isOver);
      await disk.release();
      await flushed;
    });
  }
});
