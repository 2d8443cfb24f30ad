/** Reads begin before the piece list is there; what they bring counts only once it is. */

import assert from "node:assert/strict";
import type { Replica } from "../../src/ports.js";
import { altered, corruptAt, paced } from "../support/broken-replica.js";
import { content, errorOf, honest, lineOf, pieceBytes, SmallDownload } from "./small-download.js";

/** A world in which each replica gives its pieces so late, and reads and writes are timed. */
class LateList extends SmallDownload {
  readonly readsAt: number[] = [];
  readonly writesAt: number[] = [];
  readonly #startedAt = this.clock.now();

  constructor() {
    super();
    this.store.before = (operation) => {
      if (operation === "write") this.writesAt.push(this.clock.now() - this.#startedAt);
    };
  }

  late(replica: Replica, ms: number): Replica {
    return altered(replica, {
      pieces: async (request, call) => {
        await this.clock.sleep(ms, call.signal);
        return replica.pieces(request, call);
      },
      read: (request, call) => {
        this.readsAt.push(this.clock.now() - this.#startedAt);
        return replica.read(request, call);
      },
    });
  }

  all(ms: number, of: (replica: Replica) => Replica = (replica) => replica) {
    return Object.fromEntries([..."ABC"].map((name) => [name, this.late(of(honest()), ms)]));
  }
}

describe("a piece list that is late", () => {
  it("holds no read up, and nothing is written before it is there", async () => {
    const world = new LateList();
    await world.get(world.all(700));
    world.assertPublished();
    assert.deepEqual(world.readsAt.slice(0, 3), [0, 0, 0]);
    assert.equal(Math.min(...world.writesAt), 700);
  });

  it("is nobody's fault but its sender's, however late", async () => {
    const world = new LateList();
    const pace = (replica: Replica) => paced(replica, world.clock, { rate: 1e6 });
    const receipt = await world.get(world.all(14_000, pace));
    world.assertPublished();
    for (const name of "ABC") {
      const { standing, faults } = lineOf(receipt, name);
      assert.deepEqual([standing, faults], ["good", {}], name);
    }
  });

  it("still finds what came wrong before it", async () => {
    const world = new LateList();
    const parts = { ...world.all(700), A: world.late(corruptAt(honest(), 5), 700) };
    const receipt = await world.get(parts);
    world.assertPublished();
    assert.equal(lineOf(receipt, "A").standing, "banned");
    assert.equal(Math.min(...world.writesAt), 700);
  });

  it("is waited for where something is there to compare with it", async () => {
    const world = new LateList();
    const half = content.subarray(0, 10 * pieceBytes);
    world.store.partial = half.slice();
    await world.get(world.all(700));
    world.assertPublished();
    assert.equal(Math.min(...world.readsAt), 700);
  });

  it("that does not come in the end leaves nothing behind", async () => {
    const world = new LateList();
    const dumb = (replica: Replica) =>
      altered(replica, { pieces: async () => Promise.reject(new Error("a bug")) });
    await assert.rejects(world.get(world.all(700, dumb)), /a bug/);
    assert.deepEqual([world.store.partial, world.store.journal], [undefined, undefined]);
    assert.deepEqual(world.writesAt, []);
    world.assertUnpublished();
  });

  it("and says why", async () => {
    const world = new LateList();
    const wrong = (replica: Replica) =>
      altered(replica, {
        pieces: async (request, call) => {
          const { digests } = await replica.pieces(request, call);
          return { digests: digests.map((byte) => byte ^ 1) };
        },
      });
    const why = errorOf("OutOfReplicasError", /no replica gave a usable piece list/);
    await assert.rejects(world.get(world.all(700, wrong)), why);
    assert.deepEqual([world.store.partial, world.store.journal], [undefined, undefined]);
    assert.deepEqual(world.writesAt, []);
  });
});
