import assert from "node:assert/strict";
import { Blame, type Charge } from "../../src/schedule/blame.js";
import { replicaId } from "../../src/trust/quorum.js";

const [A, B, C] = [replicaId("A"), replicaId("B"), replicaId("C")];
const e = (piece: number) => ({ piece, expected: "right", actual: "wrong", atMs: 5 });
const who = (charges: readonly Charge[]) => charges.map(({ replica }) => replica).join("");

describe("schedule/blame", () => {
  it("a charge is not a verdict", () => {
    const blame = new Blame();
    assert.deepEqual(blame.charge(A, 7, e(7)), { replica: A, evidence: e(7), times: 1 });
    assert.ok(blame.isCharged(A) && !blame.isCharged(B));
    assert.equal(who(blame.beyondDoubt()), "");
  });

  it("whoever delivered it wrong is guilty once it came right from another", () => {
    const blame = new Blame();
    blame.charge(A, 7, e(7));
    blame.charge(B, 7, e(7));
    const guilty = blame.settle(7, C);
    assert.equal(who(guilty), "AB");
    assert.deepEqual(guilty[0]?.evidence, e(7));
    assert.ok(!blame.isCharged(A) && !blame.isCharged(B));
  });

  it("whoever delivers it right the second time is cleared", () => {
    const blame = new Blame();
    blame.charge(A, 7, e(7));
    assert.equal(who(blame.settle(7, A)), "");
    assert.ok(!blame.isCharged(A));
  });

  it("another piece that came right proves nothing", () => {
    const blame = new Blame();
    blame.charge(A, 7, e(7));
    assert.equal(who(blame.settle(8, B)), "");
    assert.ok(blame.isCharged(A));
  });

  it("a piece is settled once", () => {
    const blame = new Blame();
    blame.charge(A, 7, e(7));
    blame.settle(7, B);
    assert.equal(who(blame.settle(7, C)), "");
  });

  it("the same piece wrong for the third time is beyond doubt", () => {
    const blame = new Blame();
    const times = [1, 2, 3].map(() => {
      const { times } = blame.charge(A, 7, e(7));
      return `${times}${who(blame.beyondDoubt())}`;
    });
    assert.deepEqual(times, ["1", "2", "3A"]);
  });

  it("three different pieces wrong once are not", () => {
    const blame = new Blame();
    for (const piece of [1, 2, 3]) blame.charge(A, piece, e(piece));
    assert.equal(who(blame.beyondDoubt()), "");
  });

  it("one piece wrong from three replicas is not", () => {
    const blame = new Blame();
    for (const replica of [A, B, C]) blame.charge(replica, 7, e(7));
    assert.equal(who(blame.beyondDoubt()), "");
  });

  it("dropped charges are gone, and only those", () => {
    const blame = new Blame();
    blame.charge(A, 7, e(7));
    blame.charge(A, 8, e(8));
    blame.charge(B, 7, e(7));
    blame.drop(A);
    assert.ok(!blame.isCharged(A) && blame.isCharged(B));
    assert.equal(who(blame.settle(7, C)), "B");
  });
});
