import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { chmod, readdir, symlink, writeFile } from "node:fs/promises";
import { digestFile } from "../../src/files/local-file.js";
import { hashFile } from "../../src/threads/hash-file.js";
import { manifestOfBytes } from "../support/memory-partial.js";
import { refusal } from "../support/refusal.js";
import { asOrdinaryUser, scratchFolder } from "../support/scratch-folder.js";

describe("digestFile", () => {
  const at = scratchFolder();

  it("says what a file is, small or large, in any size of pieces", async () => {
    for (const size of [0, 1, 65_536, 65_537, 5_000_000]) {
      const bytes = Buffer.alloc(size, "quorate");
      await writeFile(at("file"), bytes);
      assert.deepEqual(await digestFile(at("file"), hashFile), manifestOfBytes(bytes));
      const inPieces = await digestFile(at("file"), hashFile, { pieceBytes: 131_072 });
      assert.deepEqual(inPieces, manifestOfBytes(bytes, 131_072));
    }
  });

  it("follows links", async () => {
    await writeFile(at("file"), "hello");
    await symlink(at("file"), at("link"));
    const manifest = await digestFile(at("link"), hashFile);
    assert.deepEqual(manifest, manifestOfBytes(Buffer.from("hello")));
  });

  it("refuses folders, FIFOs, what is missing and what may not be read", async () => {
    spawnSync("mkfifo", [at("fifo")]);
    await writeFile(at("locked"), "");
    await chmod(at("locked"), 0o000);
    await assert.rejects(digestFile(at(), hashFile), refusal(/it is a folder/));
    await assert.rejects(digestFile(at("fifo"), hashFile), refusal(/it is no regular file/));
    await assert.rejects(digestFile(at("none"), hashFile), refusal(/no such file or folder/));
    const locked = () => digestFile(at("locked"), hashFile);
    await asOrdinaryUser(() => assert.rejects(locked(), refusal(/permission denied/)));
  });

  it("rejects with the signal's reason when it is aborted, and closes the file", async () => {
    await writeFile(at("file"), Buffer.alloc(5_000_000));
    const before = (await readdir("/proc/self/fd")).length;
    const reason = new Error("enough");
    const digest = digestFile(at("file"), hashFile, { signal: AbortSignal.abort(reason) });
    await assert.rejects(digest, (error) => error === reason);
    assert.equal((await readdir("/proc/self/fd")).length, before);
  });

  it("passes on what the thread found wrong as a StorageError", async () => {
    await writeFile(at("file"), Buffer.alloc(5_000_000));
    const failing = () => Promise.reject(Object.assign(new Error("read"), { code: "EIO" }));
    await assert.rejects(
      digestFile(at("file"), failing),
      refusal(/read .*the disk failed \(EIO\)/),
    );
  });
});
