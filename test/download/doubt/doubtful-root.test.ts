/** A root that few name judges pieces, but it falls with the bytes, and frees whom it judged. */

import assert from "node:assert/strict";
import type { DownloadOptions } from "../../../src/download/options.js";
import type { Replica } from "../../../src/ports.js";
import { corruptAt, paced, refusingPieces, withoutPieces } from "../../support/broken-replica.js";
import { falseRoot } from "../../support/false-root.js";
import { manifestOfBytes } from "../../support/memory-replica.js";
import { content, errorOf, honest, lineOf, pieceBytes, SmallDownload } from "../small-download.js";

const right = manifestOfBytes(content);
/** The content, but for piece 5. */
const lie = Buffer.from(content);
lie.fill(9, 5 * pieceBytes, 6 * pieceBytes);
const lieRoot = manifestOfBytes(lie).root;
const pinned: DownloadOptions = { rule: { kind: "digest", digest: right.digest } };

class RootWorld extends SmallDownload {
  slow = (replica: Replica) => paced(replica, this.clock, { rate: 200_000 });
  good = () => this.slow(honest(content, 16_384));
  foreign = () => withoutPieces(this.good());
  /** Claims a false root, and delivers what it accepts. */
  liar = () => this.slow(falseRoot(honest(), honest(lie, 16_384), lie));
  /** Claims a false root, and delivers the right bytes. */
  halfLiar = () => this.slow(falseRoot(honest(), honest(content, 16_384), lie));

  doubts(): string[] {
    return this.events.flatMap((each) => (each.event === "root-doubted" ? [each.why] : []));
  }

  freed(): string[] {
    return this.events.flatMap((each) => (each.event === "root-doubted" ? each.freed : []));
  }
}

describe("a doubtful root that is false", () => {
  for (const [who, options] of [
    ["a pinned digest", pinned],
    ["a majority for the bytes", {}],
  ] as const) {
    it(`(${who}) falls, its claimers are banned, and nobody honest is`, async () => {
      const world = new RootWorld();
      const [A, D] = [world.good(), world.foreign()];
      const receipt = await world.get({ A, B: world.liar(), C: world.liar(), D }, options);
      world.assertPublished();
      assert.deepEqual(
        receipt.replicas.map(({ standing }) => standing),
        ["good", "banned", "banned", "good"],
      );
      const { evidence } = lineOf(receipt, "B");
      assert.deepEqual([evidence?.piece, evidence?.expected], [undefined, right.digest]);
      assert.equal(world.doubts().length, 1);
    });
  }

  it("is proved so by the whole digest of what it accepts: whom it banned is free", async () => {
    const world = new RootWorld();
    const receipt = await world.get({ A: world.foreign(), B: world.liar() }, pinned);
    world.assertPublished();
    assert.match(world.doubts().join(), /the bytes that it accepts have another digest/);
    assert.deepEqual(world.freed(), ["A"]);
    assert.ok(world.events.some((each) => each.event === "banned" && each.replica === "A"));
    assert.equal(lineOf(receipt, "A").standing, "good");
    const { standing, evidence } = lineOf(receipt, "B");
    const { digest } = manifestOfBytes(lie);
    assert.equal(standing, "banned");
    assert.deepEqual([evidence?.expected, evidence?.actual], [right.digest, digest]);
  });

  it("falls when two agree on a piece and it does not, before the file is fetched twice", async () => {
    const world = new RootWorld();
    const parts = { A: world.halfLiar(), B: world.foreign(), C: world.foreign() };
    const receipt = await world.get(parts);
    world.assertPublished();
    assert.match(world.doubts().join(), /agree on piece 5/);
    const { standing, evidence } = lineOf(receipt, "A");
    assert.equal(standing, "banned");
    assert.deepEqual([evidence?.expected, evidence?.actual], [right.root, lieRoot]);
    assert.deepEqual(
      [lineOf(receipt, "B").standing, lineOf(receipt, "C").standing],
      ["good", "good"],
    );
  });

  it("falls when nobody delivers what it accepts", async () => {
    const world = new RootWorld();
    const receipt = await world.get({ A: world.halfLiar(), B: world.foreign() });
    world.assertPublished();
    assert.equal(lineOf(receipt, "B").standing, "good");
    assert.equal(lineOf(receipt, "A").standing, "banned");
  });

  it("falls when nobody gives its pieces", async () => {
    const world = new RootWorld();
    const A = refusingPieces(world.good(), { kind: "unreachable", detail: "no route" });
    const receipt = await world.get({ A, B: world.foreign(), C: world.foreign() });
    world.assertPublished();
    assert.match(world.doubts().join(), /nobody gives its pieces/);
    assert.ok(receipt.replicas.every(({ standing }) => standing === "good"));
  });

  it("is not tried again, and each byte of the file counts once", async () => {
    const world = new RootWorld();
    const parts = { A: world.good(), B: world.liar(), C: world.liar(), D: world.foreign() };
    const receipt = await world.get(parts, pinned);
    const delivered = receipt.replicas.reduce((sum, line) => sum + line.deliveredBytes, 0);
    assert.deepEqual([delivered, receipt.resumedBytes], [content.length, 0]);
    assert.ok(receipt.wastedBytes > 0);
  });
});

describe("a doubtful root that is right", () => {
  it("is not doubted by who names it and delivers something else: that one is banned", async () => {
    const world = new RootWorld();
    const A = world.slow(corruptAt(honest(content, 16_384), 0));
    const expected = errorOf("IntegrityError", /no replica serves what the quorum agreed on/);
    await assert.rejects(world.get({ A }, pinned), expected);
    assert.deepEqual(world.doubts(), []);
  });

  it("stands, and bans who is corrupt", async () => {
    const world = new RootWorld();
    const B = withoutPieces(world.slow(corruptAt(honest(content, 16_384), 10 * pieceBytes)));
    const receipt = await world.get({ A: world.good(), B, C: world.foreign() }, { chunks: 3 });
    world.assertPublished();
    assert.deepEqual(world.doubts(), []);
    assert.equal(lineOf(receipt, "B").evidence?.piece, 10);
    assert.equal(lineOf(receipt, "A").standing, "good");
  });

  it("stands beside a liar's other root that fewer name", async () => {
    const world = new RootWorld();
    const parts = { A: world.good(), B: world.good(), C: world.halfLiar() };
    const receipt = await world.get(parts, pinned);
    world.assertPublished();
    assert.deepEqual(world.doubts(), []);
    assert.equal(lineOf(receipt, "A").standing, "good");
  });
});

describe("a firm root", () => {
  it("keeps out who names another, and one that names none takes part", async () => {
    const world = new RootWorld();
    const parts = { A: world.good(), B: world.good(), C: world.good(), D: world.liar() };
    const receipt = await world.get({ ...parts, E: world.foreign() });
    world.assertPublished();
    assert.equal(lineOf(receipt, "D").standing, "dissenting");
    assert.ok(lineOf(receipt, "E").deliveredBytes > 0);
  });
});
