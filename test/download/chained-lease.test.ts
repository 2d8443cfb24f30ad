/** What is left to the digest that follows is settled once that has proven it, and in turn. */

import assert from "node:assert/strict";
import { Chain } from "../../src/download/chain.js";
import type { PrefixComparison } from "../../src/hash-ports.js";
import { limits } from "../../src/limits.js";
import { type Replica, ReplicaFault, type Sink } from "../../src/ports.js";
import { digestBytes, rawOf } from "../../src/trust/digest.js";
import { corruptAt } from "../support/broken-replica.js";
import { manifestOfBytes } from "../support/memory-replica.js";
import { FastLease, manifest } from "./fast-lease.js";
import { content, honest, pieceBytes } from "./small-download.js";

const upTo = (count: number) => Array.from({ length: count }, (_, index) => index);

/** A lease of which as much as possible is left to a digest that reads when it is told to. */
class ChainedLease extends FastLease {
  /** What the file's first pieces are said to be. */
  prefixes = manifest.prefixes;
  /** Whether the digest follows at once; else by `follow`. */
  follows = true;
  #comparison: PrefixComparison | undefined;
  #reachedPieces = 0;
  #proven = 0;
  #isOver = false;
  chain: Chain | undefined;
  /** How many pieces were left to it. */
  leftPieces = 0;

  async readChained(replica: Replica): Promise<void> {
    const sink = await this.disk({ isProvenLater: true });
    this.chain = this.#chainOver(sink);
    await this.read(replica, {
      sink,
      chain: this.chain,
      onUnproven: () => {
        this.leftPieces += this.writes.at(-1) === "0+16" ? 16 : 4;
      },
      onPiece: (held, piece) => {
        this.settled.push(piece);
        this.scheduler.settled(held, piece, this.clock.now());
        this.chain?.moved();
      },
    });
  }

  #chainOver(sink: Sink): Chain {
    const prefix = {
      reached: (bytes: number) => {
        this.#reachedPieces = Math.ceil(bytes / pieceBytes);
        if (this.follows) setImmediate(() => this.follow());
      },
      compare: (comparison: PrefixComparison) => {
        this.#comparison = comparison;
      },
    };
    const { scheduler, clock } = this;
    const chain = new Chain({ prefix, scheduler, sink, clock });
    chain.begin(this.prefixes);
    return chain;
  }

  /** Reads what was reached, and says what it is. */
  follow(): void {
    const before = this.#proven;
    while (this.#proven < this.#reachedPieces && !this.#isOver) {
      const end = Math.min(content.length, (this.#proven + 1) * pieceBytes);
      const bytes = this.store.partial?.subarray(0, end) ?? new Uint8Array();
      const actual = rawOf(manifestOfBytes(bytes).digest);
      const at = this.#proven * digestBytes;
      const due = this.prefixes.subarray(at, at + digestBytes);
      if (Buffer.compare(actual, due) !== 0) {
        this.#reachedPieces = this.#proven;
        this.#isOver = this.#comparison?.onDoubted(this.#proven) === "enough";
        return;
      }
      this.#proven++;
    }
    if (this.#proven > before) this.#comparison?.onProven(this.#proven);
  }
}

const corruptPiece = (piece: number) => corruptAt(honest(), piece * pieceBytes + 9);

describe("a lease near the frontier of a fast download", () => {
  let one: ChainedLease;
  beforeEach(() => {
    one = new ChainedLease(1000);
  });
  afterEach(() => {
    assert.ok(one.leftPieces >= 16, "the chain had a part in it");
  });

  it("is written unchecked, and settled in turn once it is proven", async () => {
    await one.readChained(honest());
    assert.deepEqual(one.writes, ["0+16", "16+4"]);
    assert.deepEqual(one.settled, upTo(20));
    assert.equal(Buffer.compare(one.store.partial ?? content.subarray(1), content), 0);
  });

  it("settles nothing before it is proven, and goes on reading meanwhile", async () => {
    one.follows = false;
    const settledThen: number[] = [];
    one.whileWriting = () => {
      settledThen.push(one.settled.length);
      if (one.writes.length === 2) setImmediate(() => one.follow());
    };
    await one.readChained(honest());
    assert.deepEqual(settledThen, [0, 0]);
    assert.deepEqual(one.settled, upTo(20));
  });

  for (const piece of [0, 5, 17, 19]) {
    it(`names the replica whose piece ${piece} is wrong, and keeps what is right before it`, async () => {
      await assert.rejects(one.readChained(corruptPiece(piece)), (error) => {
        assert.ok(error instanceof ReplicaFault && error.fault.kind === "corrupt");
        assert.equal(error.fault.evidence?.piece, piece);
        return true;
      });
      assert.deepEqual(one.settled, upTo(piece));
    });
  }

  it("is checked where it lies when nobody proves it in time", async () => {
    one.follows = false;
    one.whileWriting = () => {
      const late = one.clock.now() + limits.chainPatienceMs;
      setImmediate(() => setImmediate(() => one.chain?.poll(late)));
    };
    await one.readChained(honest());
    assert.deepEqual(one.settled, upTo(20));
  });

  it("loses nothing to a list that is wrong", async () => {
    one.prefixes = Uint8Array.from(manifest.prefixes);
    one.prefixes.fill(7, 3 * digestBytes, 4 * digestBytes);
    await one.readChained(honest());
    assert.deepEqual(one.settled, upTo(20));
  });

  it("ends with an abort, whatever it still waits for", async () => {
    one.follows = false;
    const reason = new Error("enough");
    one.whileWriting = () => setImmediate(() => one.abort.abort(reason));
    await assert.rejects(one.readChained(honest()), (error) => error === reason);
    assert.deepEqual(one.settled, []);
    one.follow();
    await new Promise((resolve) => setImmediate(resolve));
    assert.deepEqual(one.settled, [], "nothing is settled behind its back");
  });

  it("ends with what the disk says, and loses nothing that was written before", async () => {
    const refusal = new Error("no space left");
    one.whileWriting = () => {
      if (one.writes.length === 2) throw refusal;
    };
    await assert.rejects(one.readChained(honest()), (error) => error === refusal);
    assert.deepEqual(one.settled, upTo(16));
  });

  it("leaves to others what a cut took while it waited", async () => {
    one.follows = false;
    one.whileWriting = () => {
      if (one.writes.length < 2) return;
      one.scheduler.ledger.cut(one.lease.replica, 4);
      setImmediate(() => one.follow());
    };
    await one.readChained(honest());
    assert.deepEqual(one.settled, upTo(16));
  });
});

describe("a lease whose pieces somebody else is writing unchecked", () => {
  it("writes its own, which are checked, after those", async () => {
    const one = new ChainedLease(1000);
    const disk = await one.disk();
    let release = () => {};
    const held = new Promise<void>((resolve) => {
      release = resolve;
    });
    const order: string[] = [];
    const slow = {
      ...disk,
      async write() {
        await held;
        order.push("unchecked");
      },
    };
    const { scheduler, clock } = one;
    const chain = new Chain({ prefix: { reached: () => {} }, scheduler, sink: slow, clock });
    const other = chain.write({ start: 15, end: 16 }, content.subarray(0, 1));
    one.whileWriting = () => order.push("checked");
    const reading = one.read(honest(), { sink: disk, chain });
    await one.clock.sleep(5000);
    assert.deepEqual([order, one.settled], [[], []]);
    release();
    await Promise.all([other, reading]);
    assert.deepEqual(order, ["unchecked", "checked", "checked"]);
    assert.deepEqual(one.settled, upTo(20));
  });
});
