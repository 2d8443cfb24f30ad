import assert from "node:assert/strict";
import { StorageError } from "../../src/errors.js";
import { corruptAt, withoutPieces } from "../support/broken-replica.js";
import { madeUp } from "../support/made-up.js";
import {
  type ByLetter,
  content,
  errorOf,
  honest,
  lineOf,
  pieceBytes,
  SmallDownload,
} from "./small-download.js";

const damaged = (offset: number): Buffer => {
  const bytes = Buffer.from(content);
  bytes[offset] = (bytes[offset] ?? 0) ^ 1;
  return bytes;
};

describe("a second run", () => {
  it("fetches nothing when all is there", async () => {
    const world = new SmallDownload();
    world.store.partial = content;
    const receipt = await world.get({ A: honest() });
    world.assertPublished();
    assert.equal(receipt.resumedBytes, content.length);
    assert.equal(lineOf(receipt, "A").deliveredBytes, 0);
  });

  it("journals what a scan found before anything else, so that a third need not scan", async () => {
    const world = new SmallDownload();
    world.store.partial = content.subarray(0, 12 * pieceBytes);
    const abort = new AbortController();
    world.listen = ({ event }) => {
      if (event === "resumed") abort.abort(new Error("enough"));
    };
    await assert.rejects(world.get({ A: honest() }, { signal: abort.signal }), errorOf("Error"));
    assert.equal(world.store.journal?.records.length, 12);
  });

  it("for another state of the file keeps the pieces that are equal in both", async () => {
    const world = new SmallDownload();
    const before = damaged(3 * pieceBytes);
    const A = corruptAt(honest(before), 19 * pieceBytes);
    await assert.rejects(world.get({ A }), errorOf("IntegrityError"));
    assert.ok(world.store.partial !== undefined);
    const { resumedBytes } = await world.get({ A: honest() });
    world.assertPublished();
    assert.ok(resumedBytes >= 10 * pieceBytes && resumedBytes <= 18 * pieceBytes);
    assert.equal(resumedBytes % pieceBytes, 0);
  });

  it("of a shorter file does not keep the longer one's tail", async () => {
    const world = new SmallDownload();
    world.store.partial = content;
    const shorter = content.subarray(0, 5 * pieceBytes + 9);
    await world.get({ A: honest(shorter) });
    world.assertPublished(shorter);
  });

  it("of something else altogether takes nothing over", async () => {
    const world = new SmallDownload();
    world.store.partial = madeUp(content.length, 9);
    const { resumedBytes } = await world.get({ A: honest() });
    world.assertPublished();
    assert.equal(resumedBytes, 0);
  });

  it("from foreign replicas takes up what the first journaled", async () => {
    const world = new SmallDownload();
    const abort = new AbortController();
    world.store.before = (operation) => {
      if (operation === "append") abort.abort(new Error("enough"));
    };
    const A = withoutPieces(honest());
    const first = world.get({ A }, { signal: abort.signal, limitRate: 200_000 });
    await assert.rejects(first, errorOf("Error", /enough/));
    world.store.before = () => {};
    const { resumedBytes } = await world.get({ A });
    world.assertPublished();
    assert.ok(resumedBytes > 0);
  });

  for (const isForeign of [false, true]) {
    const from = isForeign ? "foreign replicas" : "replicas with pieces";
    it(`after a power cut that left the journal ahead, from ${from}, blames nobody`, async () => {
      const world = await endedEarly(isForeign);
      const { partial, journal } = world.store;
      assert.ok(partial !== undefined && journal !== undefined && journal.records.length > 2);
      for (const { piece } of journal.records.slice(-2)) {
        partial.fill(0, piece * pieceBytes, (piece + 1) * pieceBytes);
      }
      const kept = journal.records.length - 2;
      const receipt = await world.get(honestPair(isForeign));
      world.assertPublished();
      assert.equal(receipt.resumedBytes, kept * pieceBytes);
      for (const line of receipt.replicas) {
        assert.deepEqual([line.standing, line.faults], ["good", {}]);
      }
    });
  }

  it("whose disk refuses what the first left believes none of it, though it can be read", async () => {
    const world = await endedEarly(false);
    world.store.before = (operation) => {
      if (operation === "sync") throw new StorageError("sync: the disk refuses");
    };
    await assert.rejects(world.get(honestPair(false)), errorOf("StorageError", /refuses/));
    world.store.before = () => {};
    const { resumedBytes } = await world.get(honestPair(false));
    world.assertPublished();
    assert.equal(resumedBytes, 0);
  });

  it("can be aborted while it reads back what is there", async () => {
    const world = new SmallDownload();
    world.store.partial = content;
    const abort = new AbortController();
    let reads = 0;
    world.store.before = (operation) => {
      if (operation !== "read") return;
      reads++;
      abort.abort(new Error("enough"));
    };
    const second = world.get({ A: honest() }, { signal: abort.signal });
    await assert.rejects(second, errorOf("Error", /enough/));
    assert.equal(reads, 1);
  });
});

function honestPair(isForeign: boolean): ByLetter {
  const [A, B] = [honest(), honest()].map((replica) =>
    isForeign ? withoutPieces(replica) : replica,
  );
  assert.ok(A !== undefined && B !== undefined);
  return { A, B };
}

/** A world in which a download was ended when it had ten pieces. */
async function endedEarly(isForeign: boolean): Promise<SmallDownload> {
  const world = new SmallDownload();
  const abort = new AbortController();
  world.listen = (event) => {
    if (event.event === "progress" && event.doneBytes >= 10 * pieceBytes) {
      abort.abort(new Error("enough"));
    }
  };
  const options = { signal: abort.signal, limitRate: 200_000, intervalMs: 100 };
  await assert.rejects(world.get(honestPair(isForeign), options), errorOf("Error", /enough/));
  world.listen = () => {};
  return world;
}
