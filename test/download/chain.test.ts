/** What is left to the digest that follows, and when nothing is. */

import assert from "node:assert/strict";
import { Chain } from "../../src/download/chain.js";
import type { PrefixComparison, PrefixDigest } from "../../src/hash-ports.js";
import { limits } from "../../src/limits.js";
import type { Lease } from "../../src/schedule/ledger.js";
import { pieceIndex } from "../../src/schedule/pieces.js";
import { type Range, RangeSet } from "../../src/schedule/range.js";
import { Scheduler } from "../../src/schedule/scheduler.js";
import { digestBytes } from "../../src/trust/digest.js";
import { replicaId } from "../../src/trust/quorum.js";
import { FakeClock } from "../support/fake-clock.js";

const pieceBytes = 256 * 1024;
const pieceCount = 4000;
const layout = { size: pieceCount * pieceBytes - 5, pieceBytes, pieceCount };
const prefixes = new Uint8Array(pieceCount * digestBytes);
const A = replicaId("A");

/** A chain over a disk that takes what it is told to, and a digest that says what it is told to. */
class World {
  readonly clock = new FakeClock();
  readonly scheduler = new Scheduler(layout, { verified: RangeSet.empty, random: () => 0.5 });
  readonly reached: number[] = [];
  readonly chain: Chain;
  readonly lease: Lease;
  comparison: PrefixComparison | undefined;
  write: () => Promise<void> = async () => {};

  /** `rate`: bytes a second that the only replica was seen to send. */
  constructor(rate: number = 4 * limits.chainRate) {
    const { ledger } = this.scheduler;
    this.scheduler.join(A);
    this.flow(rate);
    ledger.assign(A, RangeSet.of({ start: 0, end: pieceCount }));
    this.lease = ledger.open(A, pieceCount);
    const prefix: Pick<PrefixDigest, "reached" | "compare"> = {
      reached: (bytes) => {
        this.reached.push(bytes);
      },
      compare: (comparison) => {
        this.comparison = comparison;
      },
    };
    const sink = { write: () => this.write() };
    this.chain = new Chain({ prefix, scheduler: this.scheduler, sink, clock: this.clock });
  }

  /** The last second of the replica. */
  flow(rate: number): void {
    const { scoreboard } = this.scheduler;
    const since = this.clock.now() - 1000;
    scoreboard.startFlow(A, since);
    for (let ms = 10; ms <= 1000; ms += 10) scoreboard.addArrived(A, rate / 100, since + ms);
  }

  begin(): this {
    this.chain.begin(prefixes);
    return this;
  }

  takes(start: number, end = start + 4): boolean {
    return this.chain.takes(this.lease, { start, end });
  }

  /** Writes pieces; what is said of them once it is said. */
  async put(pieces: Range): Promise<{ isProven: boolean | undefined }> {
    const said: { isProven: boolean | undefined } = { isProven: undefined };
    const { isProven } = await this.chain.write(pieces, new Uint8Array());
    void isProven.then((answer) => {
      said.isProven = answer;
    });
    return said;
  }

  settle(end: number, from = this.lease.next): void {
    for (let piece = from; piece < end; piece++) {
      this.scheduler.settled(this.lease, pieceIndex(piece), this.clock.now());
      this.chain.moved();
    }
  }
}

const turn = () => new Promise((resolve) => setImmediate(resolve));

describe("Chain", () => {
  it("takes nothing before it knows what the file's first pieces must be", () => {
    const world = new World();
    assert.equal(world.takes(0), false);
    assert.equal(world.begin().takes(0), true);
  });

  it("takes what will be reached soon, and nothing in a slow download", () => {
    const rate = 4 * limits.chainRate;
    const soon = Math.floor((rate * limits.chainMs) / 1000 / pieceBytes);
    const world = new World(rate * 1.02).begin();
    assert.equal(world.takes(soon - 4, soon), true);
    assert.equal(world.takes(soon + 100), false);
    assert.equal(new World(limits.chainRate / 2).begin().takes(0), false);
  });

  it("takes no piece twice, none that is settled, and none of a second copy", async () => {
    const world = new World().begin();
    await world.put({ start: 8, end: 12 });
    assert.equal(world.takes(11), false);
    assert.equal(world.takes(5), false, "its last piece is written");
    assert.equal(world.takes(4), true);
    world.settle(1);
    assert.equal(world.takes(0), false);
    const hedge = world.scheduler.ledger.hedge(A, 20);
    assert.equal(world.chain.takes(hedge, { start: 20, end: 21 }), false);
  });

  it("tells the digest of what lies there without a gap, settled or not", async () => {
    const world = new World().begin();
    await world.put({ start: 4, end: 8 });
    assert.equal(world.reached.at(-1), 0);
    await world.put({ start: 0, end: 4 });
    assert.equal(world.reached.at(-1), 8 * pieceBytes);
    world.comparison?.onProven(6);
    world.settle(4);
    assert.equal(world.reached.at(-1), 8 * pieceBytes, "it never goes back");
    await world.put({ start: 8, end: pieceCount });
    assert.equal(world.reached.at(-1), layout.size);
  });

  it("says that pieces are right once all of them are proven", async () => {
    const world = new World().begin();
    const [first, second] = [
      await world.put({ start: 0, end: 4 }),
      await world.put({ start: 4, end: 8 }),
    ];
    world.comparison?.onProven(7);
    await turn();
    assert.deepEqual([first.isProven, second.isProven], [true, undefined]);
    world.comparison?.onProven(8);
    await turn();
    assert.equal(second.isProven, true);
  });

  it("leaves alone what was reached, though nobody has settled it", async () => {
    const world = new World().begin();
    await world.put({ start: 0, end: 8 });
    world.comparison?.onProven(8);
    assert.equal(world.takes(4), false);
    assert.equal(world.takes(8), true);
  });

  it("says of a doubt, and reaches nothing behind it until it is settled", async () => {
    const world = new World().begin();
    const first = await world.put({ start: 0, end: 4 });
    const second = await world.put({ start: 4, end: 8 });
    assert.equal(world.comparison?.onDoubted(2), "again");
    await turn();
    assert.deepEqual([first.isProven, second.isProven], [false, false]);
    assert.equal(world.reached.at(-1), 2 * pieceBytes);
    assert.equal(world.takes(8), false, "everybody checks by itself now");
    world.settle(2);
    assert.equal(world.reached.at(-1), 2 * pieceBytes);
    world.settle(3);
    assert.equal(world.reached.at(-1), 8 * pieceBytes);
    assert.equal(world.takes(8), true);
  });

  it("believes a piece that was checked rather than the list", async () => {
    const world = new World().begin();
    assert.equal(world.comparison?.onDoubted(0), "again");
    world.settle(1);
    const said = await world.put({ start: 1, end: 4 });
    assert.equal(world.comparison?.onDoubted(0), "enough");
    await turn();
    assert.equal(said.isProven, false);
    assert.equal(world.takes(4), false);
    assert.equal(world.reached.at(-1), 4 * pieceBytes);
  });

  it("keeps nobody waiting for long, and takes nothing until more is proven", async () => {
    const world = new World().begin();
    const said = await world.put({ start: 4, end: 8 });
    const now = world.clock.now();
    world.chain.poll(now + limits.chainPatienceMs - 1);
    await turn();
    assert.equal(said.isProven, undefined);
    world.chain.poll(now + limits.chainPatienceMs);
    await turn();
    assert.equal(said.isProven, false);
    assert.equal(world.takes(8), false);
    world.settle(2);
    world.comparison?.onProven(2);
    assert.equal(world.takes(8), true);
  });

  it("takes nothing once the digest has failed, and says so to who waits", async () => {
    const world = new World().begin();
    const said = await world.put({ start: 0, end: 4 });
    world.comparison?.onFailed();
    await turn();
    assert.equal(said.isProven, false);
    assert.equal(world.takes(4), false);
  });

  it("lets a checked piece be written after the unchecked one, never before", async () => {
    const world = new World().begin();
    let isWritten = (): void => {};
    world.write = () =>
      new Promise((resolve) => {
        isWritten = resolve;
      });
    const writing = world.chain.write({ start: 4, end: 8 }, new Uint8Array());
    await world.chain.quiet({ start: 8, end: 9 });
    let isQuiet = false;
    const quiet = world.chain.quiet({ start: 7, end: 8 }).then(() => {
      isQuiet = true;
    });
    await turn();
    assert.equal(isQuiet, false);
    assert.equal(world.takes(5, 6), false, "nor is it written unchecked meanwhile");
    isWritten();
    await Promise.all([quiet, writing]);
    assert.equal(isQuiet, true);
  });

  it("rejects with what the disk says, and waits for nothing then", async () => {
    const world = new World().begin();
    const refusal = new Error("no space left");
    world.write = () => Promise.reject(refusal);
    const writing = world.chain.write({ start: 0, end: 4 }, new Uint8Array());
    await assert.rejects(writing, (error) => error === refusal);
    await world.chain.quiet({ start: 0, end: 4 });
    assert.equal(world.reached.at(-1), 0);
  });
});
