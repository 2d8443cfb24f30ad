import assert from "node:assert/strict";
import { limits } from "../../src/limits.js";
import { type Cutter, chooseCut, type Victim } from "../../src/schedule/cut.js";
import { replicaId } from "../../src/trust/quorum.js";
import { Seeded, seed } from "../support/seeded.js";

const pieceBytes = 100;

/** A victim with so many pieces left, all but one of them to be taken. */
const v = (name: string, pieces: number, rate: number, cuttable = pieces - 1): Victim => ({
  replica: replicaId(name),
  delayMs: 0,
  latencyMs: 0,
  leftBytes: pieces * pieceBytes,
  rate,
  cuttable,
  isSending: true,
});
const c = (rate: number, latencyMs = 0, busyMs = 0): Cutter => ({ rate, latencyMs, busyMs });

/** When both are done after a cut, in milliseconds. */
function ends(victim: Victim, cutter: Cutter, pieces: number) {
  const mine = cutter.latencyMs + cutter.busyMs + (pieces * pieceBytes * 1000) / cutter.rate;
  const theirs = (Math.max(0, victim.leftBytes - pieces * pieceBytes) * 1000) / victim.rate;
  return { mine, theirs };
}

describe("schedule/cut", () => {
  const table: readonly (readonly [victims: Victim[], cutter: Cutter, cut: string])[] = [
    [[], c(100), "none"],
    [[v("A", 100, 100)], c(100), "50 of A"],
    [[v("A", 100, 100)], c(300), "75 of A"],
    [[v("A", 100, 300)], c(100), "25 of A"],
    [[v("A", 100, 100), v("B", 50, 100)], c(100), "50 of A"],
    [[v("A", 50, 100), v("B", 100, 100)], c(100), "50 of B"],
    [[v("A", 100, 1000), v("B", 50, 100)], c(100), "19 of B"],
    // Nobody takes more than is done in one and a half times the end that all can reach together.
    [[v("A", 100, 100), v("B", 0, 10_000, 0)], c(100), "1 of A"],
    [[v("A", 100, 100), v("B", 0, 100, 0)], c(100), "50 of A"],
    [[v("A", 100, 100), v("B", 0, 300, 0)], c(100), "30 of A"],
    // Nor even one piece, if somebody else would have it in less than two thirds of the time.
    [[v("A", 2, 1), v("B", 1, 100, 0)], c(100, 3000), "1 of A"],
    [[v("A", 2, 1), v("B", 1, 100, 0)], c(100, 5000), "none"],
    [[v("A", 2, 1), v("B", 0, 100, 0), v("C", 0, 900, 0)], c(100, 400), "none"],
    [[v("A", 2, 1), ..."BCDEF".split("").map((one) => v(one, 0, 100, 0))], c(100, 400), "1 of A"],
    [[v("A", 2, 1), ..."BCDEF".split("").map((one) => v(one, 0, 100, 0))], c(100, 600), "none"],
    [[v("A", 100, 100, 0), v("B", 50, 100)], c(100), "25 of B"],
    [[v("A", 100, 100, 10)], c(100), "10 of A"],
    [[v("A", 100, 100, 0)], c(100), "none"],
    [[v("A", 100, 100)], c(100, 20_000), "40 of A"],
    [[v("A", 100, 100)], c(100, 0, 20_000), "40 of A"],
    [[v("A", 100, 100)], c(100, 10_000, 10_000), "40 of A"],
    [[v("A", 100, 100)], c(100, 100_000), "none"],
    [[v("A", 2, 100)], c(100), "1 of A"],
    [[v("A", 2, 100)], c(10), "none"],
    [[v("A", 2, 1)], c(10_000), "1 of A"],
  ];
  for (const [victims, cutter, expected] of table) {
    const world = victims.map(
      ({ replica, leftBytes, rate, cuttable }) => `${replica} ${leftBytes}/${rate} (${cuttable})`,
    );
    const own = `${cutter.rate} after ${cutter.latencyMs}+${cutter.busyMs} ms`;
    it(`${world.join(", ") || "nobody"}, cut at ${own}: ${expected}`, () => {
      const cut = chooseCut(victims, cutter, pieceBytes);
      assert.equal(cut === undefined ? "none" : `${cut.pieces} of ${cut.replica}`, expected);
    });
  }

  it("what nobody sends yet is taken for a smaller gain than what is on its way", () => {
    // 10 pieces at 10,000 bytes a second: 100 ms, which the cutter's first byte shortens to 92, 79.
    for (const [latencyMs, sending, free] of [
      [100, "none", "none"],
      [82, "none", "1 of A"],
      [40, "3 of A", "3 of A"],
    ] as const) {
      const cuts = [true, false].map((isSending) => {
        const cut = chooseCut([{ ...v("A", 10, 10_000), isSending }], c(10_000, latencyMs), 100);
        return cut === undefined ? "none" : `${cut.pieces} of ${cut.replica}`;
      });
      assert.deepEqual(cuts, [sending, free], `${latencyMs} ms`);
    }
  });

  it("who must wait for its first byte has that much more time left", () => {
    const far = { ...v("A", 10, 1000), delayMs: 1000 };
    const cut = chooseCut([far, v("B", 15, 1000)], c(1000), pieceBytes);
    assert.equal(`${cut?.pieces} of ${cut?.replica}`, "9 of A");
  });

  it("nobody waits for who would first have to wait for an answer itself", () => {
    const nearlyDone = { ...v("B", 1, 100_000, 0), latencyMs: 1000 };
    const cut = (latencyMs: number) =>
      chooseCut([v("A", 20, 1), { ...nearlyDone, latencyMs }], c(1000, 500), pieceBytes);
    assert.equal(cut(0), undefined);
    assert.equal(cut(1000)?.pieces, 10);
  });

  /** Random worlds of one victim and one cutter, with the cut that was chosen. */
  function worlds(check: (victim: Victim, cutter: Cutter, pieces: number, what: string) => void) {
    for (let round = 0; round < 3000; round++) {
      const random = new Seeded(seed + round);
      const victim = v("A", 2 + random.below(500), 1 + random.below(100_000));
      const cutter = c(1 + random.below(100_000), random.below(300), random.below(2000));
      const cut = chooseCut([victim], cutter, pieceBytes);
      check(victim, cutter, cut?.pieces ?? 0, `SEED=${(seed + round) >>> 0}`);
    }
  }

  it("both ends meet to within half a piece, where the victim has as much to give", () => {
    worlds((victim, cutter, pieces, what) => {
      if (pieces === 0 || pieces === 1 || pieces === victim.cuttable) return;
      const { mine, theirs } = ends(victim, cutter, pieces);
      const halfPieceMs =
        (0.5 * pieceBytes * 1000 * (cutter.rate + victim.rate)) / (cutter.rate * victim.rate);
      assert.ok(Math.abs(mine - theirs) <= halfPieceMs + 1e-6, `${what}: ${mine} and ${theirs}`);
    });
  });

  it("a cut brings the end nearer by more than the gain bound", () => {
    worlds((victim, cutter, pieces, what) => {
      if (pieces === 0) return;
      const { mine, theirs } = ends(victim, cutter, pieces);
      const beforeMs = (victim.leftBytes * 1000) / victim.rate;
      assert.ok(beforeMs - Math.max(mine, theirs) > limits.cutGainMs, what);
    });
  });

  it("a cut never takes the piece in progress", () => {
    worlds((victim, _cutter, pieces, what) => assert.ok(pieces <= victim.cuttable, what));
  });

  it("where there is no cut, none would bring more than the bound and its rounding", () => {
    worlds((victim, cutter, pieces, what) => {
      if (pieces > 0) return;
      const beforeMs = (victim.leftBytes * 1000) / victim.rate;
      const roundingMs = (pieceBytes * 1000) / Math.min(victim.rate, cutter.rate) / 2;
      for (let taken = 1; taken <= victim.cuttable; taken++) {
        const { mine, theirs } = ends(victim, cutter, taken);
        const gainMs = beforeMs - Math.max(mine, theirs);
        assert.ok(gainMs <= limits.cutGainMs + roundingMs + 1e-6, `${what}: ${taken} pieces`);
      }
    });
  });

  it("the gain bound itself is not enough", () => {
    const atBound = [v("A", 2, 100_000 / limits.cutGainMs)];
    assert.equal(chooseCut(atBound, c(1e9), pieceBytes), undefined);
    const above = [v("A", 2, 100_000 / (limits.cutGainMs + 1))];
    assert.equal(chooseCut(above, c(1e9), pieceBytes)?.pieces, 1);
  });
});
