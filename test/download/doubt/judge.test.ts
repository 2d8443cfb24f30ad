import assert from "node:assert/strict";
import { Deliveries } from "../../../src/download/deliveries.js";
import { judge } from "../../../src/download/doubt/judge.js";
import { digestFromRaw, digestOf } from "../../../src/trust/digest.js";
import { leafAt } from "../../../src/trust/merkle.js";
import { replicaId, type Vote } from "../../../src/trust/quorum.js";
import { manifestOfBytes } from "../../support/memory-replica.js";
import { content } from "../small-download.js";

const right = manifestOfBytes(content);
const [A, B] = [replicaId("A"), replicaId("B")];
const truth = right.pieces;
const leaf = (piece: number) => digestFromRaw(leafAt(truth, piece));
const wrong = digestOf(Buffer.from("wrong"));
const nobodys = () => new Deliveries(right, false);

const accusation = (piece: number, expected: string) => {
  const evidence = { piece, expected, actual: wrong, atMs: 1 };
  return { replica: A, evidence };
};
const vote = (replica: typeof A, root: typeof right.root): Vote => {
  const { size, digest } = right;
  return { replica, answer: { kind: "claimed", claim: { size, digest, root } } };
};
const cases = { accusations: [], roots: [], truth, votes: [], deliveries: nobodys(), now: 9 };

describe("the right file judges", () => {
  it("who is accused of a piece that should be as the file is: guilty", () => {
    const accusations = [accusation(3, leaf(3))];
    const [ban, ...more] = judge({ ...cases, accusations });
    assert.deepEqual(ban, { ...accusations[0], why: "served piece 3 corrupt" });
    assert.deepEqual(more, []);
  });

  it("who is accused of a piece that should be as the file is not: free", () => {
    assert.deepEqual(judge({ ...cases, accusations: [accusation(3, wrong)] }), []);
  });

  it("who delivered that very piece right in the end: free", () => {
    const deliveries = nobodys();
    deliveries.came(3, A, leafAt(truth, 3));
    assert.deepEqual(judge({ ...cases, accusations: [accusation(3, leaf(3))], deliveries }), []);
  });

  it("who named a root that is not the file's: guilty, and nobody else", () => {
    const { size, digest } = right;
    const roots = [{ size, digest, root: wrong }];
    const votes = [vote(A, wrong), vote(B, right.root)];
    const evidence = { piece: undefined, expected: right.root, actual: wrong, atMs: 9 };
    const why = "claimed a false piece root";
    assert.deepEqual(judge({ ...cases, roots, votes }), [{ replica: A, evidence, why }]);
  });

  it("who named the file's own root, though it was doubted: free", () => {
    const { size, digest, root } = right;
    const votes = [vote(A, root)];
    assert.deepEqual(judge({ ...cases, roots: [{ size, digest, root }], votes }), []);
  });
});
