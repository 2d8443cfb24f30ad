/** What speaks against an agreement while it is carried out, and when that is enough to stop. */

import assert from "node:assert/strict";
import { Doubts } from "../../../src/download/doubt/doubts.js";
import { Objections } from "../../../src/download/doubt/objections.js";
import { Support } from "../../../src/download/doubt/support.js";
import type { Fault } from "../../../src/schedule/faults.js";
import { decide, replicaId } from "../../../src/trust/quorum.js";
import { A, a, B, d, majority, n, votesOf } from "../../trust/quorum-world.js";

const [one, two, three] = [replicaId("1"), replicaId("2"), replicaId("3")];
const changed: Fault = { kind: "changed", detail: "another version" };
const corrupt = (piece: number, bytes: string): Fault => {
  const evidence = { piece, expected: d("due"), actual: d(bytes), atMs: 1 };
  return { kind: "corrupt", detail: "a bad piece", evidence };
};

/** Three members, the first of which alone names the root. */
function world({ isDoubtful = true } = {}) {
  const agreement = decide(votesOf([A, a, a]), n(2));
  assert.ok(agreement.reached);
  const support = new Support(agreement);
  const doubts = isDoubtful ? new Doubts((replica) => replica === one) : undefined;
  return new Objections(support, doubts);
}

describe("objections to an agreement", () => {
  it("one vote that is taken back is no reason to stop while the others are enough", () => {
    assert.equal(world().faulted(two, changed), undefined);
  });

  it("when too few stand by it, the quorum is lost, with who changed", () => {
    const agreement = decide(votesOf([A, A, B]), majority);
    assert.ok(agreement.reached);
    const objections = new Objections(new Support(agreement), undefined);
    const stop = objections.faulted(two, changed);
    assert.equal(stop?.kind, "lost-quorum");
    assert.match(stop?.why ?? "", /^2 changed; 1 of 3 stand by it, 2 are needed$/);
  });

  it("two who deliver the same other bytes contradict a doubtful root", () => {
    const objections = world();
    assert.equal(objections.faulted(two, corrupt(4, "x")), undefined);
    const stop = objections.faulted(three, corrupt(4, "x"));
    assert.equal(stop?.kind, "root-doubted");
    assert.match(stop?.why ?? "", /^2 and 3 agree on piece 4/);
  });

  it("two who differ, or in different pieces, or one alone twice, do not", () => {
    const objections = world();
    const faults = [
      [two, corrupt(4, "x")],
      [two, corrupt(4, "x")],
      [three, corrupt(4, "y")],
      [three, corrupt(5, "x")],
    ] as const;
    for (const [replica, fault] of faults) {
      assert.equal(objections.faulted(replica, fault), undefined);
    }
  });

  it("who names the root itself does not count against it", () => {
    const objections = world();
    objections.faulted(two, corrupt(4, "x"));
    assert.equal(objections.faulted(one, corrupt(4, "x")), undefined);
  });

  it("a slip that its replica made good does not either", () => {
    const objections = world();
    objections.faulted(two, corrupt(4, "x"));
    objections.settled(two, 4);
    assert.equal(objections.faulted(three, corrupt(4, "x")), undefined);
  });

  it("who says itself that its data is lost says nothing of a root", () => {
    const objections = world();
    const ownWord: Fault = { kind: "corrupt", detail: "it says so itself" };
    assert.equal(objections.faulted(two, ownWord), undefined);
    assert.equal(objections.leftAlone(), undefined);
  });

  it("when nobody is left, a doubtful root is at fault only if pieces spoke against it", () => {
    const objections = world();
    assert.equal(objections.leftAlone(), undefined);
    objections.faulted(two, corrupt(4, "x"));
    assert.equal(objections.leftAlone()?.kind, "root-doubted");
  });

  it("a root beyond doubt is never at fault", () => {
    const objections = world({ isDoubtful: false });
    objections.faulted(two, corrupt(4, "x"));
    assert.equal(objections.faulted(three, corrupt(4, "x")), undefined);
    assert.equal(objections.leftAlone(), undefined);
  });
});
