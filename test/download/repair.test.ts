import assert from "node:assert/strict";
import type { DownloadEvent } from "../../src/download/progress.js";
import { type Repair, type RepairOptions, repair } from "../../src/download/repair.js";
import type { Verification } from "../../src/download/verify.js";
import { StorageError } from "../../src/errors.js";
import type { Manifest } from "../../src/trust/manifest.js";
import { dyingAfter, silent, withoutPieces } from "../support/broken-replica.js";
import { FakeClock } from "../support/fake-clock.js";
import { manifestOfBytes, memoryPartial, memoryStore } from "../support/memory-partial.js";
import { memorySeed } from "../support/memory-seed.js";
import {
  type ByLetter,
  content,
  errorOf,
  honest,
  name,
  pieceBytes,
  replicasOf,
} from "./small-download.js";

/** A damaged file, and all that a repair of it does. */
class SmallRepair {
  readonly clock = new FakeClock();
  readonly store = memoryStore();
  readonly events: DownloadEvent[] = [];
  readonly told: (Verification | undefined)[] = [];
  readonly damaged: Uint8Array;
  opened = 0;
  /** What reading it from start to end fails with. */
  failure: StorageError | undefined;
  /** Which of its bytes cannot be read. */
  unreadable: (offset: number) => void = () => {};

  constructor(damaged: Uint8Array) {
    this.damaged = damaged;
  }

  run(byLetter: ByLetter, options: RepairOptions = {}): Promise<Repair> {
    const world = {
      clock: this.clock,
      random: () => 0.5,
      seeds: [memorySeed(this.damaged, "damaged", (offset) => this.unreadable(offset))],
      openPartial: (manifest: Manifest) => {
        this.opened++;
        return memoryPartial(this.store, manifest);
      },
      digestLocal: async (bytes: number) => {
        if (this.failure !== undefined) throw this.failure;
        return manifestOfBytes(this.damaged, bytes);
      },
    };
    const request = { name, replicas: replicasOf(byLetter) };
    return repair(request, world, {
      onEvent: (event) => void this.events.push(event),
      onWrong: (verification) => void this.told.push(verification),
      ...options,
    });
  }

  delivered({ receipt }: Repair): number {
    return receipt?.replicas.reduce((sum, line) => sum + line.deliveredBytes, 0) ?? 0;
  }

  assertRepaired(): void {
    const { published } = this.store;
    assert.ok(published !== undefined && Buffer.compare(published, content) === 0);
  }
}

function damagedIn(...pieces: readonly number[]): Buffer {
  const bytes = Buffer.from(content);
  for (const piece of pieces) bytes[piece * pieceBytes] = (bytes[piece * pieceBytes] ?? 0) ^ 1;
  return bytes;
}

describe("a repair", () => {
  it("of the right file leaves it alone", async () => {
    const world = new SmallRepair(content);
    const { receipt, verification } = await world.run({ A: honest() });
    assert.deepEqual([receipt, verification?.isRight], [undefined, true]);
    assert.deepEqual([world.opened, world.told.length], [0, 0]);
  });

  it("fetches only the pieces that are wrong", async () => {
    const world = new SmallRepair(damagedIn(2, 9, 10));
    const repaired = await world.run({ A: honest(), B: honest() });
    world.assertRepaired();
    assert.equal(world.delivered(repaired), 3 * pieceBytes);
    assert.equal(repaired.receipt?.seededBytes, content.length - 3 * pieceBytes);
  });

  it("mends what is too short, too long, or empty", async () => {
    const longer = Buffer.concat([content, Buffer.alloc(5)]);
    for (const damaged of [content.subarray(0, 3 * pieceBytes + 9), longer, Buffer.alloc(0)]) {
      const world = new SmallRepair(damaged);
      await world.run({ A: honest() });
      world.assertRepaired();
    }
  });

  it("says what is wrong before anything is fetched, and tells the vote once", async () => {
    const world = new SmallRepair(damagedIn(4));
    const wrong = (verification: Verification | undefined) => {
      assert.deepEqual(verification?.bad, [{ start: 4 * pieceBytes, end: 5 * pieceBytes }]);
      assert.equal(world.opened, 0);
    };
    await world.run({ A: honest() }, { onWrong: wrong });
    const votes = world.events.filter(({ event }) => event === "agreement");
    assert.equal(votes.length, 1);
  });

  it("without pieces fetches all of it", async () => {
    const world = new SmallRepair(damagedIn(4));
    const repaired = await world.run({ A: withoutPieces(honest()) });
    world.assertRepaired();
    assert.equal(world.delivered(repaired), content.length);
  });

  it("takes what cannot be read for wrong", async () => {
    const world = new SmallRepair(content);
    const failure = new StorageError("read damaged: the disk failed (EIO)");
    world.failure = failure;
    world.unreadable = (offset) => {
      if (offset === 6 * pieceBytes) throw failure;
    };
    const repaired = await world.run({ A: honest() });
    world.assertRepaired();
    assert.deepEqual([world.told, world.delivered(repaired)], [[undefined], pieceBytes]);
  });
});

describe("a repair that fails", () => {
  it("says that the file is wrong, and the next one goes on where it ended", async () => {
    const world = new SmallRepair(damagedIn(0, 1, 2, 3, 4, 5, 6, 7));
    const dying = world.run({ A: dyingAfter(honest(undefined, pieceBytes), 3) });
    const message = /it is wrong, and is left as it was; run it again to go on: .*not all chunks/;
    await assert.rejects(dying, errorOf("IntegrityError", message));
    assert.equal(world.store.published, undefined);
    const again = await world.run({ A: honest() });
    world.assertRepaired();
    assert.ok((again.receipt?.resumedBytes ?? 0) >= 12 * pieceBytes, "the seed is not read again");
    assert.ok(world.delivered(again) < 8 * pieceBytes);
  });

  it("for want of a quorum has opened nothing", async () => {
    const world = new SmallRepair(damagedIn(1));
    const replicas = { A: honest(), B: silent(honest(), world.clock) };
    await assert.rejects(world.run(replicas), errorOf("NoQuorumError"));
    assert.equal(world.opened, 0);
  });

  it("for the disk's sake, or because it is aborted, says just that", async () => {
    const world = new SmallRepair(damagedIn(1));
    world.store.before = (operation) => {
      if (operation === "publish") throw new StorageError("the disk is full");
    };
    await assert.rejects(world.run({ A: honest() }), errorOf("StorageError", /full/));
    const abort = new AbortController();
    const onWrong = () => abort.abort(new Error("enough"));
    const { signal } = abort;
    await assert.rejects(world.run({ A: honest() }, { signal, onWrong }), errorOf("Error"));
  });
});
