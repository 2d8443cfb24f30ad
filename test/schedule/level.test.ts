import assert from "node:assert/strict";
import { level, levelMs, type Worker } from "../../src/schedule/level.js";
import { RangeSet } from "../../src/schedule/range.js";
import { replicaId } from "../../src/trust/quorum.js";
import { Seeded, seed } from "../support/seeded.js";

const pieceBytes = 100;
const w = (...workers: (readonly [rate: number, busyMs?: number])[]): Worker[] =>
  workers.map(([rate, busyMs = 0], index) => ({ replica: replicaId(`r${index}`), rate, busyMs }));
const p = (count: number) => RangeSet.of({ start: 0, end: count });

describe("schedule/level", () => {
  const table: readonly (readonly [pieces: number, Worker[], ms: number, counts: string])[] = [
    [10, w([1000]), 1000, "10"],
    [10, w([1000, 500]), 1500, "10"],
    [10, w([500], [500]), 1000, "5 5"],
    [12, w([900], [300]), 1000, "9 3"],
    // Who is busy takes less, so that both end together.
    [10, w([1000], [1000, 200]), 600, "6 4"],
    // Who is busy for longer than the others need takes nothing.
    [10, w([1000], [1000, 1000]), 1000, "10"],
    [10, w([1000, 5000], [1000]), 1000, "10"],
    // Seven tenths of a piece are none: it would be the last one, by far.
    [10, w([930], [930], [140]), 500, "5 5"],
    [10, w([900], [900], [200]), 500, "5 4 1"],
    [0, w([1000], [1000, 5]), 0, ""],
    [10, [], Number.POSITIVE_INFINITY, ""],
  ];
  for (const [pieces, workers, ms, counts] of table) {
    const text = workers.map(({ rate, busyMs }) => `${rate} after ${busyMs} ms`).join(", ");
    it(`${pieces} pieces among ${text || "nobody"}: ${counts || "nothing"}, in ${ms} ms`, () => {
      assert.equal(levelMs(pieces * pieceBytes, workers), ms);
      const regions = level(p(pieces), workers, pieceBytes);
      assert.equal([...regions.values()].map(({ count }) => count).join(" "), counts);
    });
  }

  it("everybody who gets anything ends within a piece of the same moment", () => {
    for (let round = 0; round < 1000; round++) {
      const what = `SEED=${(seed + round) >>> 0}`;
      const random = new Seeded(seed + round);
      const workers = w(
        ...Array.from({ length: 1 + random.below(6) }, () => {
          return [1 + random.below(100_000), random.below(3000)] as const;
        }),
      );
      const wanted = p(1 + random.below(2000));
      const endMs = levelMs(wanted.count * pieceBytes, workers);
      const regions = level(wanted, workers, pieceBytes);
      const counts = [...regions.values()].map(({ count }) => count);
      assert.equal(
        counts.reduce((sum, count) => sum + count, 0),
        wanted.count,
        what,
      );
      for (const { replica, rate, busyMs } of workers) {
        const count = regions.get(replica)?.count ?? 0;
        const fair = (Math.max(0, endMs - busyMs) * rate) / 1000 / pieceBytes;
        assert.ok(Math.abs(count - fair) <= workers.length, `${what}: ${count} for ${fair}`);
      }
    }
  });

  it("nobody's last piece would be there sooner from anybody else", () => {
    for (let round = 0; round < 1000; round++) {
      const random = new Seeded(seed + round);
      const workers = w(
        ...Array.from({ length: 1 + random.below(6) }, () => {
          return [1 + random.below(100_000), random.below(3000)] as const;
        }),
      );
      const regions = level(p(1 + random.below(100)), workers, pieceBytes);
      const endMs = ({ replica, rate, busyMs }: Worker, more: number) =>
        busyMs + (((regions.get(replica)?.count ?? 0) + more) * pieceBytes * 1000) / rate;
      const latest = workers.filter(({ replica }) => regions.has(replica));
      const last = Math.max(...latest.map((worker) => endMs(worker, 0)));
      const soonest = Math.min(...workers.map((worker) => endMs(worker, 1)));
      assert.ok(last <= soonest + 1e-6, `SEED=${(seed + round) >>> 0}: ${last}, ${soonest}`);
    }
  });
});
