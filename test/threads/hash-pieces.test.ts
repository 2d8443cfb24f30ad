import assert from "node:assert/strict";
import { getEventListeners } from "node:events";
import { type FileHandle, open, readdir, writeFile } from "node:fs/promises";
import { limits } from "../../src/limits.js";
import { hashPieces } from "../../src/threads/hash-pieces.js";
import { leafAt, leafDigest } from "../../src/trust/merkle.js";
import { madeUp } from "../support/made-up.js";
import { scratchFolder } from "../support/scratch-folder.js";

const MiB = 1024 * 1024;

describe("hashPieces", function () {
  // Threads that run TypeScript take seconds to start on a busy machine.
  this.timeout(120_000);
  const at = scratchFolder();
  let handle: FileHandle;
  beforeEach(async () => {
    handle = await open(at("file"), "w+");
  });
  afterEach(() => handle.close());
  const hash = (
    layout: { readonly size: number; readonly pieceBytes: number },
    pieces: readonly number[],
    wishes: { readonly signal?: AbortSignal; readonly onProgress?: (bytes: number) => void } = {},
  ) => {
    const { signal = new AbortController().signal, onProgress = () => {} } = wishes;
    const pieceCount = Math.ceil(layout.size / layout.pieceBytes);
    return hashPieces({
      fd: handle.fd,
      layout: { ...layout, pieceCount },
      pieces,
      onProgress,
      signal,
    });
  };

  it("gives the leaf digests of the pieces asked for, in that order", async () => {
    const bytes = madeUp(10_500);
    await writeFile(handle, bytes);
    const pieces = [9, 0, 10, 3, 3];
    const digests = await hash({ size: bytes.length, pieceBytes: 1000 }, pieces);
    const expected = pieces.map((piece) =>
      leafDigest(bytes.subarray(piece * 1000, piece * 1000 + 1000)),
    );
    assert.deepEqual(Buffer.from(digests), Buffer.concat(expected));
  });

  it("shares a large list out among threads, and puts it together again", async () => {
    const size = 3 * limits.rereadThreadBytes;
    await handle.truncate(size);
    const pieceBytes = 4 * MiB;
    const marks = [0, 31, 32, 63, 64, 95];
    for (const piece of marks) await handle.write(String(piece), piece * pieceBytes);
    const pieces = Array.from({ length: size / pieceBytes }, (_, piece) => piece);
    const told: number[] = [];
    const digests = await hash({ size, pieceBytes }, pieces, {
      onProgress: (done) => told.push(done),
    });
    const zeros = leafDigest(Buffer.alloc(pieceBytes));
    for (const piece of pieces) {
      const content = Buffer.alloc(pieceBytes);
      if (marks.includes(piece)) content.write(String(piece));
      const expected = marks.includes(piece) ? leafDigest(content) : zeros;
      assert.deepEqual(
        Buffer.from(leafAt(digests, piece)),
        Buffer.from(expected),
        `piece ${piece}`,
      );
    }
    assert.deepEqual(
      told,
      [...told].sort((one, other) => one - other),
    );
    assert.equal(told.at(-1), size);
  });

  it("gives another digest to a piece that is not all there", async () => {
    await writeFile(handle, Buffer.alloc(1500));
    const digests = await hash({ size: 3000, pieceBytes: 1000 }, [0, 1, 2]);
    const whole = Buffer.from(leafDigest(Buffer.alloc(1000)));
    const isWhole = [0, 1, 2].map((piece) => whole.equals(leafAt(digests, piece)));
    assert.deepEqual(isWhole, [true, false, false]);
  });

  it("gives nothing of nothing", async () => {
    assert.equal((await hash({ size: 0, pieceBytes: 1000 }, [])).length, 0);
  });

  it("rejects with the reason when it is aborted, and no thread reads on", async () => {
    const size = 1024 * MiB;
    await handle.truncate(size);
    const abort = new AbortController();
    const reason = new Error("enough");
    const threads = await threadCount();
    const hashing = hash({ size, pieceBytes: MiB }, [...Array(1024).keys()], {
      signal: abort.signal,
      onProgress: () => abort.abort(reason),
    });
    await assert.rejects(hashing, reason);
    assert.equal(getEventListeners(abort.signal, "abort").length, 0);
    assert.ok((await threadCount()) <= threads, "all are gone");
  });

  it("rejects with the code of a read that failed", async () => {
    // Held, or its descriptor would be closed once nobody knows it, and become somebody else's.
    await using written = await open(at("other"), "w");
    const { fd } = written;
    const layout = { size: 1000, pieceBytes: 1000, pieceCount: 1 };
    const { signal } = new AbortController();
    const hashing = hashPieces({ fd, layout, pieces: [0], onProgress: () => {}, signal });
    await assert.rejects(hashing, { code: "EBADF" });
  });
});

/** Threads of this process; libuv's and V8's do not come and go any more once tests run. */
async function threadCount(): Promise<number> {
  return (await readdir("/proc/self/task")).length;
}
