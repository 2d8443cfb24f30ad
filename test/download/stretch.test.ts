/** Pieces that come fast are written together; nothing that is right is lost, nothing else kept. */

import assert from "node:assert/strict";
import { SpareMemory } from "../../src/download/spare-memory.js";
import type { LeafHasher } from "../../src/hash-ports.js";
import { limits } from "../../src/limits.js";
import { type Replica, ReplicaFault } from "../../src/ports.js";
import { leafDigests } from "../../src/trust/merkle.js";
import { corruptAt, dyingAfter } from "../support/broken-replica.js";
import { A, FastLease } from "./fast-lease.js";
import { content, honest, pieceBytes } from "./small-download.js";

const upTo = (count: number) => Array.from({ length: count }, (_, index) => index);

describe("pieces that come fast", () => {
  for (const chunkBytes of [1000, pieceBytes, 150_000, 2_000_000]) {
    it(`are written together, from chunks of ${chunkBytes} bytes, each settled in turn`, async () => {
      const one = new FastLease(8);
      await one.read(honest(content, chunkBytes));
      assert.deepEqual(one.writes, ["0+8", "8+8", "16+4"]);
      assert.deepEqual(one.settled, upTo(20));
    });
  }

  it("are written as each chunk brings them where that is a matter of a piece and more", async () => {
    const [one, other] = [new FastLease(1), new FastLease(1)];
    await one.read(honest());
    assert.deepEqual(one.writes, [...upTo(20).map((piece) => `${piece}+1`)]);
    await other.read(honest(content, 9 * pieceBytes));
    assert.deepEqual(other.writes, ["0+9", "9+9", "18+2"]);
  });

  it("are never more than the bound, however fast", async () => {
    const one = new FastLease(1000);
    await one.read(honest());
    assert.deepEqual(one.writes, ["0+16", "16+4"]);
  });

  it("are written one at a time where nobody can say what is right", async () => {
    const one = new FastLease(8);
    await one.read(honest(), { digests: undefined });
    assert.equal(one.writes.length, 20);
  });

  it("are kept when a later one is wrong, and that one is not", async () => {
    const one = new FastLease(8);
    await assert.rejects(one.read(corruptAt(honest(), 5 * pieceBytes)), (error) => {
      assert.ok(error instanceof ReplicaFault && error.fault.kind === "corrupt");
      return true;
    });
    assert.deepEqual([one.writes, one.settled], [["0+5"], upTo(5)]);
  });

  it("are kept when the stream ends in the middle", async () => {
    const one = new FastLease(8);
    await assert.rejects(one.read(dyingAfter(honest(content, pieceBytes), 11)));
    assert.deepEqual([one.writes, one.settled], [["0+8", "8+3"], upTo(11)]);
  });

  /** Sends the first pieces at once, the rest after so many milliseconds. */
  function pausing(one: FastLease, pieces: number, ms: number): Replica {
    return {
      ...honest(),
      async *read(request, call) {
        for await (const chunk of honest(content, pieceBytes).read(request, call)) {
          if (chunk.offset === pieces * pieceBytes) await one.clock.sleep(ms, call.signal);
          yield chunk;
        }
      },
    };
  }

  it("are written when nothing follows: nobody else needs to fetch them", async () => {
    const one = new FastLease(8);
    const at: number[] = [];
    const start = one.clock.now();
    one.whileWriting = () => at.push(one.clock.now() - start);
    await one.read(pausing(one, 3, 5000));
    assert.deepEqual(one.writes, ["0+3", "3+8", "11+8", "19+1"]);
    const [first = 0] = at;
    assert.ok(first > limits.stretchMs && first < limits.stretchMs + 2, `after ${first} ms`);
  });

  it("wait for a chunk that is only a little late", async () => {
    const one = new FastLease(8);
    await one.read(pausing(one, 3, limits.stretchMs / 2));
    assert.deepEqual(one.writes, ["0+8", "8+8", "16+4"]);
  });

  it("end the lease when the disk refuses them, though the next chunk never comes", async () => {
    const one = new FastLease(8);
    const refusal = new Error("no space left");
    one.whileWriting = () => {
      throw refusal;
    };
    const never = new Promise<never>(() => {});
    const replica: Replica = {
      ...honest(),
      async *read(request, call) {
        for await (const chunk of honest(content, pieceBytes).read(request, call)) {
          if (chunk.offset === 3 * pieceBytes) await never;
          yield chunk;
        }
      },
    };
    await assert.rejects(one.read(replica), (error) => error === refusal);
  });

  it("are not written for a lease that was taken away", async () => {
    const one = new FastLease(8);
    const reason = new Error("enough");
    const replica: Replica = {
      ...honest(),
      async *read(request, call) {
        for await (const chunk of honest(content, pieceBytes).read(request, call)) {
          yield chunk;
          if (chunk.offset === 3 * pieceBytes) one.abort.abort(reason);
        }
      },
    };
    await assert.rejects(one.read(replica), (error) => error === reason);
    assert.deepEqual(one.writes, []);
  });

  it("end where a cut ends the lease, held or not", async () => {
    const one = new FastLease(8);
    const replica: Replica = {
      ...honest(),
      async *read(request, call) {
        for await (const chunk of honest(content, pieceBytes).read(request, call)) {
          if (chunk.offset === 4 * pieceBytes) one.scheduler.ledger.cut(A, 18);
          yield chunk;
        }
      },
    };
    await one.read(replica);
    assert.deepEqual([one.writes, one.settled], [["0+2"], upTo(2)]);
  });

  it("settle no piece that was cut away while they were written", async () => {
    const one = new FastLease(8);
    one.whileWriting = () => {
      if (one.lease.end === 20) one.scheduler.ledger.cut(A, 17);
    };
    await one.read(honest(content, pieceBytes));
    assert.deepEqual([one.writes, one.settled], [["0+8"], upTo(3)]);
  });
});

describe("pieces that other cores hash", () => {
  /** Hashes here, after a turn of everybody else, what lies in its memory and nothing else. */
  class TurnHasher implements LeafHasher {
    readonly #memory = new Set<ArrayBufferLike>();
    hashedPieces = 0;
    /** Called while what it was given must stay as it is. */
    whileHashing = () => {};

    memory(bytes: number): Uint8Array {
      const memory = new Uint8Array(bytes);
      this.#memory.add(memory.buffer);
      return memory;
    }

    async leaves(bytes: Uint8Array, piece: number) {
      assert.ok(this.#memory.has(bytes.buffer), "it lies where other cores see it");
      this.whileHashing();
      await new Promise((resolve) => setImmediate(resolve));
      const leaves = leafDigests(bytes, piece);
      this.hashedPieces += leaves.length / 32;
      return leaves;
    }

    async [Symbol.asyncDispose]() {}
  }

  function hashedElsewhere(pieces: number) {
    const hasher = new TurnHasher();
    const one = new FastLease(pieces, new SpareMemory(hasher.memory.bind(hasher)));
    return { one, hasher };
  }

  it("are written as those that are hashed here", async () => {
    const { one, hasher } = hashedElsewhere(8);
    await one.read(honest(), { hasher });
    assert.deepEqual([one.writes, one.settled], [["0+8", "8+8", "16+4"], upTo(20)]);
    assert.equal(hasher.hashedPieces, 20);
  });

  it("stay as they are until that is done", async () => {
    const { one, hasher } = hashedElsewhere(8);
    hasher.whileHashing = () => one.spare.take(1).fill(255);
    await one.read(honest(), { hasher });
    assert.deepEqual(one.settled, upTo(20));
  });

  it("are kept when a later one is wrong, and that one is not", async () => {
    const { one, hasher } = hashedElsewhere(8);
    await assert.rejects(one.read(corruptAt(honest(), 13 * pieceBytes), { hasher }), (error) => {
      assert.ok(error instanceof ReplicaFault && error.fault.kind === "corrupt");
      assert.equal(error.fault.evidence?.piece, 13);
      return true;
    });
    assert.deepEqual([one.writes, one.settled], [["0+8", "8+5"], upTo(13)]);
  });

  it("are not written where a cut took them meanwhile", async () => {
    const { one, hasher } = hashedElsewhere(8);
    hasher.whileHashing = () => {
      if (one.lease.end === 20) one.scheduler.ledger.cut(A, 17);
    };
    await one.read(honest(), { hasher });
    assert.deepEqual([one.writes, one.settled], [["0+3"], upTo(3)]);
  });

  it("are hashed here when they come whole, one at a time", async () => {
    const { one, hasher } = hashedElsewhere(1);
    await one.read(honest(content, pieceBytes), { hasher });
    assert.deepEqual([one.settled, hasher.hashedPieces], [upTo(20), 0]);
  });
});
