import assert from "node:assert/strict";
import type { DownloadEvent } from "../../src/download/progress.js";
import { type Resumed, resume } from "../../src/download/resume.js";
import { limits } from "../../src/limits.js";
import type { JournalRecord, Partial, PiecesToHash } from "../../src/ports.js";
import { pieceIndex } from "../../src/schedule/pieces.js";
import { leafAt } from "../../src/trust/merkle.js";
import { corruptAt, withoutPieces } from "../support/broken-replica.js";
import { madeUp } from "../support/made-up.js";
import { memoryPartial, memoryStore } from "../support/memory-partial.js";
import { manifestOfBytes } from "../support/memory-replica.js";
import { content, errorOf, honest, lineOf, pieceBytes, SmallDownload } from "./small-download.js";

const manifest = manifestOfBytes(content);
const records = (...pieces: readonly number[]): JournalRecord[] =>
  pieces.map((piece) => ({ piece: pieceIndex(piece), digest: leafAt(manifest.pieces, piece) }));

interface Left {
  readonly bytes?: Uint8Array;
  readonly claimed?: readonly JournalRecord[];
  readonly digests?: Uint8Array | undefined;
}

/** Resumes from what an earlier run left; tells what was read, too. */
async function resumeFrom(left: Left): Promise<Resumed & { readonly reads: number }> {
  const { bytes = new Uint8Array(), claimed } = left;
  let reads = 0;
  const store = memoryStore((operation) => {
    if (operation === "read") reads++;
  });
  store.partial = bytes;
  const opened = await memoryPartial(store, manifest);
  const partial: Partial = { ...opened, journal: { ...opened.journal, claimed } };
  const { signal } = new AbortController();
  const digests = "digests" in left ? left.digests : manifest.pieces;
  const resumed = await resume(partial, manifest, { digests, signal, onEvent: () => {} });
  return { ...resumed, reads };
}

const damaged = (offset: number): Buffer => {
  const bytes = Buffer.from(content);
  bytes[offset] = (bytes[offset] ?? 0) ^ 1;
  return bytes;
};

describe("what an earlier run left", () => {
  it("is nothing: nothing is read", async () => {
    const { verified, unrecorded, reads } = await resumeFrom({});
    assert.deepEqual([verified.count, unrecorded, reads], [0, [], 0]);
  });

  it("with a journal: what it claims and is right counts, and nothing else is read", async () => {
    const { verified, unrecorded, reads } = await resumeFrom({
      ...{ bytes: content, claimed: records(0, 7, 19) },
    });
    assert.deepEqual(verified.ranges, [
      { start: 0, end: 1 },
      { start: 7, end: 8 },
      { start: 19, end: 20 },
    ]);
    assert.deepEqual([unrecorded, reads], [[], 3]);
  });

  it("zeros that were reserved and never written are not taken for data", async () => {
    const bytes = Buffer.concat([content.subarray(0, pieceBytes), Buffer.alloc(content.length)]);
    for (const claimed of [records(0, 1, 2, 19), undefined]) {
      const left = { bytes: bytes.subarray(0, content.length) };
      const { verified } = await resumeFrom(claimed === undefined ? left : { ...left, claimed });
      assert.deepEqual(verified.ranges, [{ start: 0, end: 1 }]);
    }
  });

  it("a journal that claims more than is there is not believed", async () => {
    const bytes = content.subarray(0, 5 * pieceBytes);
    const { verified } = await resumeFrom({ bytes, claimed: records(4, 5, 19) });
    assert.deepEqual(verified.ranges, [{ start: 4, end: 5 }]);
  });

  it("a partial that was damaged is fetched again where it was", async () => {
    const { verified } = await resumeFrom({
      ...{ bytes: damaged(7 * pieceBytes + 1), claimed: records(6, 7, 8) },
    });
    assert.deepEqual(verified.ranges, [
      { start: 6, end: 7 },
      { start: 8, end: 9 },
    ]);
  });

  it("digests in a journal count for nothing where the quorum's are known", async () => {
    const bytes = damaged(0);
    const forged = { piece: pieceIndex(0), digest: leafAt(manifestOfBytes(bytes).pieces, 0) };
    const { verified } = await resumeFrom({ bytes, claimed: [forged] });
    assert.equal(verified.count, 0);
  });

  it("where no piece list is known, a journal's digests tell what is as it was", async () => {
    const bytes = damaged(7 * pieceBytes);
    const left = { bytes, claimed: records(6, 7), digests: undefined };
    const { verified } = await resumeFrom(left);
    assert.deepEqual(verified.ranges, [{ start: 6, end: 7 }]);
  });

  it("without a journal every piece is looked at, and what is right is to be recorded", async () => {
    const bytes = damaged(7 * pieceBytes).subarray(0, 10 * pieceBytes + 5);
    const { verified, unrecorded } = await resumeFrom({ bytes });
    assert.deepEqual(verified.ranges, [
      { start: 0, end: 7 },
      { start: 8, end: 10 },
    ]);
    assert.deepEqual(unrecorded, records(0, 1, 2, 3, 4, 5, 6, 8, 9));
  });

  it("without a journal and without a piece list, nothing can be told", async () => {
    const { verified, reads } = await resumeFrom({ bytes: content, digests: undefined });
    assert.deepEqual([verified.count, reads], [0, 0]);
  });
});

describe("what an earlier run left, when it is large", () => {
  const pieceBytes = 4 * 1024 * 1024;
  const least = limits.threadedHashBytes / pieceBytes;
  /** Resumes so many pieces, whose digests are their number but for one that is wrong. */
  async function resumeLarge(pieceCount: number) {
    const layout = { size: pieceCount * pieceBytes, pieceBytes, pieceCount };
    const claimed = Array.from({ length: pieceCount }, (_, piece) => {
      return { piece: pieceIndex(piece), digest: Buffer.alloc(32, piece === 5 ? 99 : piece) };
    });
    let reads = 0;
    const told: DownloadEvent[] = [];
    const partial = {
      ...(await memoryPartial(memoryStore(), manifestOfBytes(new Uint8Array()))),
      journal: { claimed, append: async () => {} },
      sink: { write: async () => {}, read: async () => 0 * ++reads, sync: async () => {} },
      async hashPieces({ pieces, onProgress }: PiecesToHash) {
        onProgress(7);
        return Buffer.concat(pieces.map((piece) => Buffer.alloc(32, piece)));
      },
    };
    const { signal } = new AbortController();
    const known = {
      digests: undefined,
      signal,
      onEvent: (event: DownloadEvent) => told.push(event),
    };
    return { ...(await resume(partial, layout, known)), reads, told };
  }

  it("is hashed on other cores, and believed as little", async () => {
    const { verified, reads, told } = await resumeLarge(least);
    assert.equal(reads, 0);
    assert.deepEqual(verified.ranges, [
      { start: 0, end: 5 },
      { start: 6, end: least },
    ]);
    const totalBytes = limits.threadedHashBytes;
    assert.deepEqual(told, [{ event: "rereading", doneBytes: 7, totalBytes }]);
  });

  it("is hashed here when it is smaller", async () => {
    const { verified, reads } = await resumeLarge(least - 1);
    assert.deepEqual([verified.count, reads], [0, least - 1]);
  });
});

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
