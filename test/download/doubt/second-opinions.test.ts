/** When nobody gives pieces and the whole is wrong, others are asked whose bytes are. */

import assert from "node:assert/strict";
import type { Replica } from "../../../src/ports.js";
import { dyingAfter, paced, stallingAfter, withoutPieces } from "../../support/broken-replica.js";
import { falseRoot } from "../../support/false-root.js";
import { manifestOfBytes } from "../../support/memory-replica.js";
import { content, errorOf, honest, lineOf, pieceBytes, SmallDownload } from "../small-download.js";

const right = manifestOfBytes(content);

/** The content, but for these pieces. */
function lieIn(...pieces: number[]): Buffer {
  const lie = Buffer.from(content);
  for (const piece of pieces) lie.subarray(piece * pieceBytes, (piece + 1) * pieceBytes).fill(9);
  return lie;
}

class ForeignWorld extends SmallDownload {
  slow = (replica: Replica) => withoutPieces(paced(replica, this.clock, { rate: 200_000 }));
  good = () => this.slow(honest(content, 16_384));
  /** Claims the truth and delivers this. */
  lying(lie: Uint8Array): Replica {
    const liar = honest(lie, 16_384);
    const truth = honest(content);
    return this.slow({
      ...truth,
      read: (request, call) => liar.read({ ...request, ifDigest: undefined }, call),
    });
  }

  standings(replicas: readonly { readonly standing: string }[]): string {
    return replicas.map(({ standing }) => (standing === "banned" ? "x" : "o")).join("");
  }
}

const every = Array.from({ length: 20 }, (_, piece) => piece);

describe("foreign replicas, one of which hardly sends", () => {
  it("are asked for no piece twice: nobody could tell which copy is right", async () => {
    const world = new ForeignWorld();
    const writes = new Map<number, number>();
    world.wrap = (partial) => ({
      ...partial,
      sink: {
        ...partial.sink,
        async write(offset, bytes) {
          writes.set(offset, (writes.get(offset) ?? 0) + 1);
          await partial.sink.write(offset, bytes);
        },
      },
    });
    const slow = withoutPieces(paced(honest(content, 1000), world.clock, { rate: 2000 }));
    const receipt = await world.get({ A: world.good(), B: slow, C: world.good() });
    world.assertPublished();
    assert.deepEqual([receipt.hedgedBytes, Math.max(...writes.values())], [0, 1]);
  });
});

describe("foreign replicas, one of which is corrupt", () => {
  for (const [what, pieces] of [
    ["in one piece", [3]],
    ["in some", [0, 1, 7, 13, 19]],
    ["in all", every],
  ] as const) {
    it(`(${what}) give the right file, and it is banned with the piece for evidence`, async () => {
      const world = new ForeignWorld();
      const lie = lieIn(...pieces);
      const parts = { A: world.lying(lie), B: world.good(), C: world.good() };
      const receipt = await world.get(parts);
      world.assertPublished();
      assert.equal(world.standings(receipt.replicas), "xoo");
      const { evidence, faults } = lineOf(receipt, "A");
      const piece = evidence?.piece ?? -1;
      assert.ok(pieces.some((each) => each === piece));
      const { pieces: leaves } = manifestOfBytes(
        content.subarray(piece * pieceBytes).subarray(0, pieceBytes),
      );
      assert.equal(evidence?.expected, `sha256:${Buffer.from(leaves).toString("hex")}`);
      assert.notEqual(evidence?.actual, evidence?.expected);
      assert.deepEqual(faults, { corrupt: 1 });
      const delivered = receipt.replicas.reduce((sum, line) => sum + line.deliveredBytes, 0);
      assert.equal(delivered, content.length);
    });
  }

  it("and only one other gives the right file, too", async () => {
    const world = new ForeignWorld();
    const receipt = await world.get({ A: world.lying(lieIn(2, 11)), B: world.good() });
    world.assertPublished();
    assert.equal(world.standings(receipt.replicas), "xo");
  });

  it("are read about once more, and not from the start", async () => {
    const world = new ForeignWorld();
    const parts = { A: world.lying(lieIn(3)), B: world.good(), C: world.good() };
    const { wastedBytes } = await world.get(parts);
    assert.ok(wastedBytes <= content.length + 4 * pieceBytes, `${wastedBytes} bytes in vain`);
  });

  it("and one that dies when it is asked again, or stalls, give the right file", async () => {
    for (const make of [
      (each: Replica) => dyingAfter(each, 30),
      (each: Replica, world: ForeignWorld) => stallingAfter(each, 50, world.clock),
    ]) {
      const world = new ForeignWorld();
      const C = make(world.good(), world);
      const parts = { A: world.lying(lieIn(3)), B: world.good(), C, D: world.good() };
      const receipt = await world.get(parts);
      world.assertPublished();
      assert.equal(world.standings(receipt.replicas), "xooo");
    }
  });

  it("after an earlier run left wrong bytes of it: nobody is banned for those", async () => {
    const world = new ForeignWorld();
    const abort = new AbortController();
    world.listen = (event) => {
      if (event.event === "progress" && event.doneBytes > 12 * pieceBytes) abort.abort(new Error());
    };
    const { signal } = abort;
    const first = world.get({ A: world.lying(lieIn(...every)), B: world.good() }, { signal });
    await assert.rejects(first);
    world.listen = () => {};
    const receipt = await world.get({ B: world.good(), C: world.good() });
    world.assertPublished();
    assert.equal(world.standings(receipt.replicas), "oo");
  });
});

describe("foreign replicas, some of which collude", () => {
  for (const [what, pieces] of [
    ["in one piece", [3]],
    ["in all", every],
  ] as const) {
    it(`(${what}) vouch for each other in vain`, async () => {
      const world = new ForeignWorld();
      const liar = () => world.lying(lieIn(...pieces));
      const parts = { A: liar(), B: liar(), C: world.good(), D: world.good(), E: world.good() };
      const receipt = await world.get(parts);
      world.assertPublished();
      const standings = world.standings(receipt.replicas);
      assert.match(standings, /ooo$/, "nobody honest is banned");
      // Who never delivered that one piece did no wrong.
      assert.match(standings, what === "in all" ? /^xx/ : /^x/);
    });
  }

  it("even when they are most of them", async () => {
    const world = new ForeignWorld();
    const liar = () => world.lying(lieIn(...every));
    const receipt = await world.get({ A: liar(), B: world.good(), C: liar() });
    world.assertPublished();
    assert.equal(world.standings(receipt.replicas), "xox");
  });

  it("and bring a right root into doubt: it is right in the end, and they are banned", async () => {
    const world = new ForeignWorld();
    const liar = () => world.lying(lieIn(...every));
    const A = paced(honest(content, 16_384), world.clock, { rate: 50_000 });
    const receipt = await world.get({ A, B: liar(), C: liar(), D: world.good() });
    world.assertPublished();
    assert.equal(world.standings(receipt.replicas), "oxxo");
  });

  it("and one names a false root: nobody honest is banned", async () => {
    const world = new ForeignWorld();
    const lie = lieIn(5);
    const A = paced(falseRoot(honest(), honest(lie, 16_384), lie), world.clock, { rate: 200_000 });
    const parts = { A, B: world.lying(lie), C: world.good(), D: world.good() };
    const receipt = await world.get(parts);
    world.assertPublished();
    assert.match(world.standings(receipt.replicas), /^x.oo$/);
    assert.equal(receipt.digest, right.digest);
  });
});

describe("foreign replicas, each of which is wrong somewhere", () => {
  it("else give the right file: of each piece the many are right", async () => {
    const world = new ForeignWorld();
    const lies = [lieIn(1), lieIn(9), lieIn(16)].map((lie) => world.lying(lie));
    const [A, B, C] = lies;
    assert.ok(A !== undefined && B !== undefined && C !== undefined);
    await world.get({ A, B, C });
    world.assertPublished();
  });

  it("the same are an integrity error: nothing is published, and a fresh rerun works", async () => {
    const world = new ForeignWorld();
    const lie = () => world.lying(lieIn(4));
    const expected = errorOf("IntegrityError", /^get file\.bin: .*nothing was published/);
    await assert.rejects(world.get({ A: lie(), B: lie(), C: lie() }), expected);
    world.assertUnpublished();
    assert.ok(
      world.events.every(({ event }) => event !== "banned"),
      "nobody is blamed",
    );
    const { resumedBytes } = await world.get({ A: world.good(), B: world.good() });
    world.assertPublished();
    assert.equal(resumedBytes, 0);
  });

  it("each time anew are an integrity error, within bounds", async () => {
    const world = new ForeignWorld();
    const wild = () => {
      let times = 0;
      const truth = honest(content, 16_384);
      return world.slow({
        ...truth,
        async *read(request, call) {
          for await (const { offset, bytes } of truth.read(request, call)) {
            const changed = Uint8Array.from(bytes);
            changed[0] = ++times % 251;
            yield { offset, bytes: changed };
          }
        },
      });
    };
    const parts = { A: wild(), B: wild(), C: wild(), D: wild() };
    await assert.rejects(world.get(parts), errorOf("IntegrityError"));
    const checks = world.events.filter((event) => {
      return event.event === "verifying" && event.doneBytes === content.length;
    }).length;
    // Twenty-four explanations at most, and the two digests before anybody is asked.
    assert.ok(checks <= 26, `${checks} digests of the whole`);
  });
});
