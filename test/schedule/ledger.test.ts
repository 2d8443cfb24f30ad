import assert from "node:assert/strict";
import { type Lease, Ledger } from "../../src/schedule/ledger.js";
import { pieceIndex } from "../../src/schedule/pieces.js";
import { RangeSet } from "../../src/schedule/range.js";
import { type ReplicaId, replicaId } from "../../src/trust/quorum.js";
import { Seeded, seed } from "../support/seeded.js";

const [A, B, C] = [replicaId("A"), replicaId("B"), replicaId("C")];
const p = (start: number, end: number) => RangeSet.of({ start, end });
const text = (set: RangeSet) => set.ranges.map(({ start, end }) => `${start}-${end}`).join(" ");

/** A ledger of so many pieces, all of them in A's region, and a lease of A on the first few. */
function l(pieces: number, leased: number): { ledger: Ledger; lease: Lease } {
  const ledger = new Ledger({ size: pieces * 10, pieceBytes: 10, pieceCount: pieces });
  ledger.assign(A, p(0, pieces));
  return { ledger, lease: ledger.open(A, leased) };
}

function settle(ledger: Ledger, lease: Lease, count: number): boolean[] {
  return Array.from({ length: count }, () => ledger.settle(lease, pieceIndex(lease.next)));
}

/** The places of a piece: pool, settled, each region, each lease. */
function places(ledger: Ledger, piece: number): string[] {
  const regions = [A, B, C].filter((replica) => ledger.region(replica).has(piece));
  const leases = ledger.leases().filter(({ next, end }) => next <= piece && piece < end);
  return [
    ...(ledger.pool.has(piece) ? ["pool"] : []),
    ...(ledger.settled.has(piece) ? ["settled"] : []),
    ...regions.map((replica) => `region of ${replica}`),
    ...leases.map(({ id }) => `lease ${id}`),
  ];
}

/** One random operation that a scheduler could do; gives its name. */
function step(ledger: Ledger, random: Seeded, hedged: Set<number>): string {
  const replica = random.pick([A, B, C]) ?? A;
  const lease = random.pick(ledger.leases());
  switch (random.below(8)) {
    case 0: {
      const [pieces] = ledger.pool.takeFirst(random.below(8));
      ledger.assign(replica, pieces);
      return `assign ${text(pieces)} to ${replica}`;
    }
    case 1:
      if (random.below(4) === 0) ledger.release(replica);
      return `release ${replica}`;
    case 2:
      if (!ledger.region(replica).isEmpty) ledger.open(replica, 1 + random.below(6));
      return `open ${replica}`;
    case 3:
      return `cut ${replica}: ${text(ledger.cut(replica, 1 + random.below(5)))}`;
    case 4:
      if (lease !== undefined && random.below(2) === 0) ledger.close(lease);
      return `close ${lease?.id}`;
    case 5:
      return hedge(ledger, replica, lease, hedged);
    default:
      if (lease !== undefined && lease.next < lease.end) settle(ledger, lease, 1);
      return `settle ${lease?.id}`;
  }
}

function hedge(ledger: Ledger, replica: ReplicaId, lease: Lease | undefined, hedged: Set<number>) {
  if (lease === undefined || lease.isHedge || lease.next >= lease.end) return "hedge nothing";
  if (lease.replica === replica || ledger.rivals(lease, lease.next).length > 0) return "no hedge";
  hedged.add(lease.next);
  ledger.hedge(replica, lease.next);
  return `hedge ${lease.next} by ${replica}`;
}

describe("schedule/ledger", () => {
  it("every piece is in exactly one place, whatever happens", () => {
    for (let round = 0; round < 300; round++) {
      const random = new Seeded(seed + round);
      const ledger = new Ledger({ size: 300, pieceBytes: 10, pieceCount: 30 }, p(3, 6));
      const hedged = new Set<number>();
      const steps: string[] = [];
      for (let count = 0; count < 60; count++) {
        const before = ledger.settled;
        steps.push(step(ledger, random, hedged));
        const what = `SEED=${(seed + round) >>> 0}: ${steps.join(", ")}`;
        assert.ok(before.subtract(ledger.settled).isEmpty, `${what}: settled stays settled`);
        for (let piece = 0; piece < 30; piece++) {
          const found = places(ledger, piece);
          const most = hedged.has(piece) ? 3 : 1;
          const held = found.filter((place) => !place.startsWith("lease"));
          assert.ok(found.length >= 1 && found.length <= most, `${what}: ${piece} in ${found}`);
          assert.ok(held.length <= 1, `${what}: ${piece} in ${found}`);
        }
      }
    }
  });

  it("whatever happened, every piece can still be settled, each once", () => {
    for (let round = 0; round < 300; round++) {
      const random = new Seeded(seed + round);
      const ledger = new Ledger({ size: 300, pieceBytes: 10, pieceCount: 30 });
      for (let count = 0; count < 60; count++) step(ledger, random, new Set());
      for (const lease of ledger.leases()) ledger.close(lease);
      for (const replica of [A, B, C]) ledger.release(replica);
      const wanted = ledger.pool.count;
      assert.equal(wanted + ledger.settled.count, 30, `SEED=${(seed + round) >>> 0}`);
      ledger.assign(A, ledger.pool);
      let firsts = 0;
      while (!ledger.region(A).isEmpty) {
        const lease = ledger.open(A, 30);
        firsts += settle(ledger, lease, lease.end - lease.next).filter(Boolean).length;
      }
      assert.ok(ledger.isDone && firsts === wanted, `SEED=${(seed + round) >>> 0}`);
    }
  });

  it("what is on the disk already is not wanted", () => {
    const layout = { size: 100, pieceBytes: 10, pieceCount: 10 };
    const ledger = new Ledger(layout, p(2, 5));
    assert.equal(text(ledger.pool), "0-2 5-10");
    assert.ok(!ledger.isDone && new Ledger(layout, p(0, 10)).isDone);
    assert.ok(new Ledger({ size: 0, pieceBytes: 10, pieceCount: 0 }).isDone);
  });

  it("only what lies in the pool can be assigned", () => {
    const { ledger } = l(10, 4);
    assert.throws(() => ledger.assign(B, p(0, 1)), /lay in the pool/);
    assert.throws(() => ledger.assign(B, p(9, 10)), /lay in the pool/);
    assert.throws(() => ledger.open(B, 4), /has a region/);
  });

  it("a lease is on consecutive pieces", () => {
    const ledger = new Ledger({ size: 100, pieceBytes: 10, pieceCount: 10 }, p(2, 5));
    ledger.assign(A, ledger.pool);
    const [first, second] = [ledger.open(A, 99), ledger.open(A, 99)];
    assert.deepEqual([first.start, first.end, second.start, second.end], [0, 2, 5, 10]);
  });

  it("pieces of a lease are settled in order", () => {
    const { ledger, lease } = l(10, 4);
    assert.throws(() => ledger.settle(lease, pieceIndex(1)), /in order/);
  });

  const cuts: readonly (readonly [settled: number, count: number, cut: string, end: number])[] = [
    [0, 3, "7-10", 4],
    [0, 6, "4-10", 4],
    [0, 7, "3-10", 3],
    [0, 99, "1-10", 1],
    [2, 99, "3-10", 3],
    [4, 99, "4-10", 4],
  ];
  for (const [settled, count, cut, end] of cuts) {
    it(`a cut of ${count}, after ${settled} of a lease of 4 in 10, takes ${cut}`, () => {
      const { ledger, lease } = l(10, 4);
      settle(ledger, lease, settled);
      const most = ledger.cuttable(A);
      assert.equal(text(ledger.cut(A, count)), cut);
      assert.equal(text(ledger.pool), cut);
      assert.equal(lease.end, end);
      assert.equal(ledger.cuttable(A), most - ledger.pool.count);
      if (count === 99) assert.equal(ledger.cuttable(A), 0);
    });
  }

  it("what a lease did not settle is wanted again, and closing twice changes nothing", () => {
    const { ledger, lease } = l(10, 4);
    settle(ledger, lease, 1);
    ledger.close(lease);
    ledger.close(lease);
    assert.equal(text(ledger.pool), "1-4");
    assert.ok(!ledger.isOpen(lease));
  });

  it("a piece that another lease still holds is not wanted again", () => {
    const { ledger, lease } = l(10, 4);
    const second = ledger.hedge(B, 0);
    assert.deepEqual(ledger.rivals(lease, 0), [second]);
    ledger.close(lease);
    assert.equal(text(ledger.pool), "1-4");
    ledger.close(second);
    assert.equal(text(ledger.pool), "0-4");
    assert.equal(ledger.hedgedPieces, 1);
  });

  it("the first to settle a hedged piece counts, the second is waste", () => {
    const { ledger, lease } = l(10, 4);
    const second = ledger.hedge(B, 0);
    assert.deepEqual(settle(ledger, second, 1), [true]);
    assert.deepEqual(settle(ledger, lease, 2), [false, true]);
    assert.equal(text(ledger.settled), "0-2");
  });

  it("a hedge is never cut", () => {
    const { ledger } = l(10, 4);
    ledger.hedge(B, 0);
    assert.equal(ledger.cuttable(B), 0);
    assert.ok(ledger.cut(B, 5).isEmpty);
  });

  it("a lease that is through has no piece in progress, so it is nobody's rival", () => {
    const { ledger, lease } = l(10, 4);
    settle(ledger, lease, 4);
    const next = ledger.open(A, 4);
    assert.deepEqual(ledger.rivals(next, next.next), []);
  });
});
