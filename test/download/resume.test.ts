import assert from "node:assert/strict";
import type { DownloadEvent } from "../../src/download/progress.js";
import { type Resumed, resume } from "../../src/download/resume.js";
import type { PiecesToHash } from "../../src/hash-ports.js";
import { limits } from "../../src/limits.js";
import type { JournalRecord, PartialOutput } from "../../src/ports.js";
import { pieceIndex } from "../../src/schedule/pieces.js";
import { leafAt } from "../../src/trust/merkle.js";
import { type MemoryOperation, memoryPartial, memoryStore } from "../support/memory-partial.js";
import { manifestOfBytes } from "../support/memory-replica.js";
import { content, pieceBytes } from "./small-download.js";

const manifest = manifestOfBytes(content);
const records = (...pieces: readonly number[]): JournalRecord[] =>
  pieces.map((piece) => ({ piece: pieceIndex(piece), digest: leafAt(manifest.pieces, piece) }));

interface Left {
  readonly bytes?: Uint8Array;
  readonly claimed?: readonly JournalRecord[];
  readonly digests?: Uint8Array | undefined;
}

/** What a resume came to, and what it asked of the disk. */
interface Looked extends Resumed {
  readonly operations: readonly MemoryOperation[];
  readonly reads: number;
  readonly disowned: readonly number[];
}

async function resumeFrom(left: Left): Promise<Looked> {
  const { bytes = new Uint8Array(), claimed } = left;
  const operations: MemoryOperation[] = [];
  const disowned: number[] = [];
  const store = memoryStore((operation) => operations.push(operation));
  store.partial = bytes;
  const opened = await memoryPartial(store, manifest);
  const disown = async (pieces: readonly number[]) => void disowned.push(...pieces);
  const partial: PartialOutput = { ...opened, journal: { ...opened.journal, claimed, disown } };
  const { signal } = new AbortController();
  const digests = "digests" in left ? left.digests : manifest.pieces;
  const resumed = await resume(partial, manifest, { digests, signal, onEvent: () => {} });
  const reads = operations.filter((operation) => operation === "read").length;
  return { ...resumed, operations, reads, disowned };
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
      bytes: content,
      claimed: records(0, 7, 19),
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
      bytes: damaged(7 * pieceBytes + 1),
      claimed: records(6, 7, 8),
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

  it("with a journal ahead of its bytes: what is not there, or is old, is disowned", async () => {
    const bytes = damaged(7 * pieceBytes);
    bytes.fill(0, 3 * pieceBytes, 5 * pieceBytes);
    const { verified, disowned } = await resumeFrom({ bytes, claimed: records(9, 7, 3, 4, 0) });
    assert.deepEqual(verified.ranges, [
      { start: 0, end: 1 },
      { start: 9, end: 10 },
    ]);
    assert.deepEqual(disowned, [3, 4, 7]);
  });

  it("is synced before it is read: what the disk refused could be read, too", async () => {
    const { operations } = await resumeFrom({ bytes: content, claimed: records(1) });
    assert.deepEqual(operations, ["sync", "journal-sync", "read"]);
  });

  it("is not synced when there is nothing", async () => {
    const { operations } = await resumeFrom({});
    assert.deepEqual(operations, []);
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
  const least = limits.threadedRereadBytes / pieceBytes;
  /** Resumes so many pieces, whose digests are their number but for one that is wrong. */
  async function resumeLarge(pieceCount: number) {
    const layout = { size: pieceCount * pieceBytes, pieceBytes, pieceCount };
    const claimed = Array.from({ length: pieceCount }, (_, piece) => {
      return { piece: pieceIndex(piece), digest: Buffer.alloc(32, piece === 5 ? 99 : piece) };
    });
    let reads = 0;
    const told: DownloadEvent[] = [];
    const opened = await memoryPartial(memoryStore(), manifestOfBytes(new Uint8Array()));
    const partial = {
      ...opened,
      journal: { ...opened.journal, claimed },
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
    const totalBytes = limits.threadedRereadBytes;
    assert.deepEqual(told, [{ event: "rereading", doneBytes: 7, totalBytes }]);
  });

  it("is hashed here when it is smaller", async () => {
    const { verified, reads } = await resumeLarge(least - 1);
    assert.deepEqual([verified.count, reads], [0, least - 1]);
  });
});
