import assert from "node:assert/strict";
import { type FileHandle, mkdir, open, readFile, stat, writeFile } from "node:fs/promises";
import { preallocate } from "../../src/files/preallocate.js";
import { scratchFolder, withoutPrograms } from "../support/scratch-folder.js";

const size = 1_000_001;

// A full disk is in partial-file-space.test.ts.
describe("preallocate", () => {
  const at = scratchFolder();
  let handle: FileHandle;
  beforeEach(async () => {
    await writeFile(at("file"), "there before");
    handle = await open(at("file"), "r+");
  });
  afterEach(() => handle.close());

  it("gives the file its length and keeps what was in it", async () => {
    await preallocate(handle, { present: 12, size });
    const expected = Buffer.alloc(size);
    expected.write("there before");
    assert.deepEqual(await readFile(at("file")), expected);
  });

  it("takes the space", async () => {
    await preallocate(handle, { present: 12, size });
    assert.ok((await stat(at("file"))).blocks * 512 >= size);
  });

  it("sets the length where there is no fallocate, and keeps what was there", async () => {
    await withoutPrograms(() => preallocate(handle, { present: 12, size }));
    assert.equal((await stat(at("file"))).size, size);
    assert.equal((await readFile(at("file"))).toString("utf8", 0, 12), "there before");
  });

  it("gives back what it got before the disk was full: most file systems keep that", async () => {
    const { PATH } = process.env;
    const says = "fallocate: fallocate failed: No space left on device";
    const script = `#!/bin/sh\ntruncate -s 5000 /proc/self/fd/3\necho "${says}" >&2\nexit 1\n`;
    await mkdir(at("bin"));
    await writeFile(at("bin/fallocate"), script, { mode: 0o755 });
    process.env.PATH = `${at("bin")}:${PATH}`;
    try {
      await assert.rejects(preallocate(handle, { present: 12, size }), /the disk is full/);
    } finally {
      process.env.PATH = PATH;
    }
    assert.equal(await readFile(at("file"), "utf8"), "there before");
  });

  it("does nothing for an empty file", async () => {
    await preallocate(handle, { present: 0, size: 0 });
    assert.equal((await stat(at("file"))).size, 12);
  });
});
