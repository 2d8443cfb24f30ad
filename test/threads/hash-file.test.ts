import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { getEventListeners } from "node:events";
import { type FileHandle, open, readdir, writeFile } from "node:fs/promises";
import { hashFile } from "../../src/threads/hash-file.js";
import { manifestOfBytes } from "../support/memory-partial.js";
import { scratchFolder } from "../support/scratch-folder.js";

const MiB = 1024 * 1024;

describe("hashFile", () => {
  const at = scratchFolder();
  let handle: FileHandle;
  beforeEach(async () => {
    handle = await open(at("file"), "w+");
  });
  afterEach(() => handle.close());
  const hash = (size: number, wishes: Partial<Parameters<typeof hashFile>[0]> = {}) => {
    const { signal } = new AbortController();
    return hashFile({ fd: handle.fd, size, onProgress: () => {}, signal, ...wishes });
  };

  for (const size of [0, 1, 64 * 1024, 64 * 1024 + 1, MiB, MiB + 1, 5 * MiB]) {
    it(`says of ${size} bytes what a builder says of them`, async () => {
      const bytes = Buffer.alloc(size, "quorate");
      await writeFile(handle, bytes);
      const manifest = await hash(size);
      assert.deepEqual(manifest, manifestOfBytes(bytes));
      const digest = createHash("sha256").update(bytes).digest("hex");
      assert.equal(manifest.digest, `sha256:${digest}`);
    });
  }

  it("hashes in pieces of the size asked for", async () => {
    const bytes = Buffer.alloc(10_001, "quorate");
    await writeFile(handle, bytes);
    const manifest = await hash(bytes.length, { pieceBytes: 1000 });
    assert.deepEqual(manifest, manifestOfBytes(bytes, 1000));
    assert.equal(manifest.pieceCount, 11);
  });

  it("leaves the descriptor open, and where it stood", async () => {
    await writeFile(handle, "quorate");
    await hash(7);
    assert.deepEqual(await hash(7), manifestOfBytes(Buffer.from("quorate")));
    assert.equal((await handle.stat()).size, 7);
    await handle.write("!");
    assert.equal((await handle.stat()).size, 8);
  });

  it("tells of progress, which grows and stays within the size", async () => {
    await handle.truncate(40 * MiB);
    const told: number[] = [];
    await hash(40 * MiB, { onProgress: (doneBytes) => told.push(doneBytes) });
    assert.deepEqual(told, [16 * MiB, 32 * MiB]);
  });

  it("rejects when the file ends early, saying where", async () => {
    await writeFile(handle, "quorate");
    await assert.rejects(hash(8), /the file ended at byte 7 of 8/);
  });

  it("rejects with the code of the read that failed", async () => {
    const folder = await open(at());
    try {
      await assert.rejects(hash(8, { fd: folder.fd }), { code: "EISDIR" });
    } finally {
      await folder.close();
    }
  });

  it("does not begin when it is aborted already", async () => {
    const reason = new Error("enough");
    const onProgress = () => assert.fail("it began");
    const hashed = hash(8, { signal: AbortSignal.abort(reason), onProgress });
    await assert.rejects(hashed, (error) => error === reason);
  });

  it("rejects with the signal's reason when it is aborted halfway, and its thread ends", async () => {
    // Sparse, and far too much to be hashed within this test's time.
    await handle.truncate(2 ** 40);
    const threads = (await readdir("/proc/self/task")).length;
    const ending = new AbortController();
    const reason = new Error("enough");
    const onProgress = () => ending.abort(reason);
    const hashed = hash(2 ** 40, { signal: ending.signal, onProgress });
    await assert.rejects(hashed, (error) => error === reason);
    assert.ok((await readdir("/proc/self/task")).length <= threads);
  });

  it("listens to the signal no longer once it is done", async () => {
    const { signal } = new AbortController();
    await writeFile(handle, "quorate");
    const hashed = hash(7, { signal });
    assert.equal(getEventListeners(signal, "abort").length, 1);
    await hashed;
    assert.equal(getEventListeners(signal, "abort").length, 0);
  });

  it("hashes several files at once", async () => {
    await writeFile(handle, "quorate");
    const expected = manifestOfBytes(Buffer.from("quorate"));
    assert.deepEqual(await Promise.all([hash(7), hash(7), hash(7)]), [
      expected,
      expected,
      expected,
    ]);
  });
});
