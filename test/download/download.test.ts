/** The file comes whole from any number of replicas, of any size, and the receipt says how. */

import assert from "node:assert/strict";
import type { Replica } from "../../src/ports.js";
import { altered, lateClaim, paced, withoutPieces } from "../support/broken-replica.js";
import { madeUp } from "../support/made-up.js";
import { Seeded, seed } from "../support/seeded.js";
import {
  type ByLetter,
  content,
  errorOf,
  honest,
  lineOf,
  name,
  pieceBytes,
  SmallDownload,
} from "./small-download.js";

const some = (count: number, bytes: Uint8Array, chunkBytes?: number): ByLetter =>
  Object.fromEntries(
    [..."ABCDE"].slice(0, count).map((letter) => [letter, honest(bytes, chunkBytes)]),
  );

describe("a download from honest replicas", () => {
  for (const [voteMs, pieces] of [
    [5, 16],
    [200, 20],
  ] as const) {
    it(`asks one whose vote took ${voteMs} ms for ${pieces} pieces at first`, async () => {
      const world = new SmallDownload();
      const asked: number[] = [];
      const replica = lateClaim(honest(), voteMs, world.clock);
      const read: Replica["read"] = (request, call) => {
        asked.push(request.range.end - request.range.start);
        return replica.read(request, call);
      };
      await world.get({ A: altered(replica, { read }) });
      assert.equal(asked[0], Math.min(pieces * pieceBytes, content.length));
    });
  }

  for (const count of [1, 2, 3, 4, 5]) {
    for (const size of [0, 1, pieceBytes, pieceBytes + 1, 7 * pieceBytes - 1]) {
      it(`gives the right file of ${size} bytes from ${count}`, async () => {
        const world = new SmallDownload();
        const bytes = madeUp(size);
        const receipt = await world.get(some(count, bytes));
        world.assertPublished(bytes);
        const delivered = receipt.replicas.map(({ deliveredBytes }) => deliveredBytes);
        assert.equal(
          delivered.reduce((sum, part) => sum + part, 0),
          size,
        );
        assert.ok(receipt.replicas.every(({ standing }) => standing === "good"));
      });
    }
  }

  for (let round = 0; round < 12; round++) {
    it(`gives the right file of chance's size in chunks of chance's size (${round})`, async () => {
      const chance = new Seeded(seed + round);
      const bytes = madeUp(chance.below(12 * pieceBytes), round + 1);
      const letters = [..."ABCDE"].slice(0, 1 + chance.below(5));
      const byLetter = Object.fromEntries(
        letters.map((letter) => [letter, honest(bytes, 1000 + chance.below(200_000))]),
      );
      const world = new SmallDownload();
      const chunks = chance.below(2) === 0 ? {} : { chunks: 1 + chance.below(30) };
      await world.get(byLetter, chunks);
      const { published } = world.store;
      assert.ok(published !== undefined && bytes.equals(published), `SEED=${seed}`);
    });
  }

  it("is refused before anything is opened when it is larger than allowed", async () => {
    const world = new SmallDownload();
    const tooLarge = errorOf("UsageError", /too large/);
    await assert.rejects(world.get(some(3, content), { maxBytes: content.length - 1 }), tooLarge);
    assert.equal(world.store.published, undefined);
    await world.get(some(3, content), { maxBytes: content.length });
    world.assertPublished(content);
  });

  it("says in the receipt what came of it", async () => {
    const world = new SmallDownload();
    const receipt = await world.get(some(3, content));
    const { digest, claim } = { ...receipt, claim: lineOf(receipt, "A").claim };
    assert.deepEqual(
      [receipt.name, receipt.path, receipt.size, receipt.resumedBytes],
      [name, "memory", content.length, 0],
    );
    assert.equal(claim?.digest, digest);
    assert.deepEqual(lineOf(receipt, "B").faults, {});
  });

  it("shares the work between replicas of one speed", async () => {
    const world = new SmallDownload();
    const rate = 1024 * 1024;
    const byLetter = Object.fromEntries(
      [..."ABC"].map((letter) => [letter, paced(honest(), world.clock, { rate })]),
    );
    const receipt = await world.get(byLetter);
    world.assertPublished();
    for (const { deliveredBytes } of receipt.replicas) {
      assert.ok(deliveredBytes >= 5 * pieceBytes, `${deliveredBytes} bytes are about a third`);
    }
  });
});

describe("--chunks", () => {
  for (const chunks of [1, 2, 4, 7, 20, 1000]) {
    it(`${chunks} first regions give the right file`, async () => {
      const world = new SmallDownload();
      await world.get(some(3, content), { chunks });
      world.assertPublished();
    });
  }

  it("each chunk starts at another replica", async () => {
    const firsts: string[] = [];
    const watched = (letter: string) => {
      const replica = honest();
      return altered(replica, {
        read(request, call) {
          firsts.push(`${letter}${request.range.start / pieceBytes}`);
          return replica.read(request, call);
        },
      });
    };
    const world = new SmallDownload();
    await world.get({ A: watched("A"), B: watched("B"), C: watched("C") }, { chunks: 4 });
    assert.deepEqual(firsts.slice(0, 3).sort(), ["A0", "B5", "C10"]);
  });
});

describe("a rate limit", () => {
  for (const [replicas, limitRate] of [
    [1, 100_000],
    [3, 100_000],
    [2, 1_000_000],
  ] as const) {
    it(`of ${limitRate} bytes a second over ${replicas} replicas is kept`, async () => {
      const world = new SmallDownload();
      const { seconds } = await world.get(some(replicas, content), { limitRate });
      world.assertPublished();
      const ideal = content.length / limitRate;
      assert.ok(seconds > 0.95 * ideal, `${seconds} s are not less than ${ideal} s`);
      assert.ok(seconds < 1.1 * ideal + 0.5, `${seconds} s are about ${ideal} s`);
    });
  }

  it("so low that a piece takes minutes is kept, and no replica is blamed for it", async () => {
    const world = new SmallDownload();
    const bytes = content.subarray(0, 6 * pieceBytes);
    const receipt = await world.get(some(3, bytes), { limitRate: 1024 });
    world.assertPublished(bytes);
    assert.deepEqual(
      receipt.replicas.map(({ faults }) => faults),
      [{}, {}, {}],
    );
  });
});

describe("foreign replicas, which give no pieces", () => {
  it("give the right file when all are foreign", async () => {
    const world = new SmallDownload();
    await world.get({ A: withoutPieces(honest()), B: withoutPieces(honest()) });
    world.assertPublished();
  });

  it("take part beside those that do", async () => {
    const world = new SmallDownload();
    const [A, B] = [withoutPieces(honest()), honest()].map((each) =>
      paced(each, world.clock, { rate: 500_000 }),
    );
    assert.ok(A !== undefined && B !== undefined);
    const receipt = await world.get({ A, B });
    world.assertPublished();
    assert.ok(lineOf(receipt, "A").deliveredBytes > 0);
  });
});

describe("a request that makes no sense", () => {
  for (const [what, run] of [
    ["no replicas", (world: SmallDownload) => world.get({})],
    ["a rate of nothing", (world: SmallDownload) => world.get({ A: honest() }, { limitRate: 0 })],
    ["no chunks", (world: SmallDownload) => world.get({ A: honest() }, { chunks: 0 })],
  ] as const) {
    it(`${what} is a usage error, and nobody is asked`, async () => {
      const world = new SmallDownload();
      await assert.rejects(run(world), errorOf("UsageError"));
      assert.deepEqual(world.events, []);
    });
  }
});
