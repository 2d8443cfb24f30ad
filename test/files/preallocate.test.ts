import assert from "node:assert/strict";
import { type FileHandle, mkdir, open, readFile, stat, writeFile } from "node:fs/promises";
import { preallocate } from "../../src/files/preallocate.js";
import { refusingOn } from "../support/refusing-disk.js";
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

  /** Runs this with another `fallocate`: a script. */
  async function withFallocate(script: string, run: () => Promise<void>): Promise<void> {
    const { PATH } = process.env;
    await mkdir(at("bin"));
    await writeFile(at("bin/fallocate"), `#!/bin/sh\n${script}\n`, { mode: 0o755 });
    process.env.PATH = `${at("bin")}:${PATH}`;
    try {
      await run();
    } finally {
      process.env.PATH = PATH;
    }
  }

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

  it("fills a small file with zeros, without another process, and keeps what was in it", async () => {
    await withFallocate("exit 0", () => preallocate(handle, { present: 12, size: 65_536 }));
    const expected = Buffer.alloc(65_536);
    expected.write("there before");
    assert.deepEqual(await readFile(at("file")), expected);
  });

  it("says at once that there is no room for a small file", async () => {
    const filled = refusingOn("write", "ENOSPC", () =>
      preallocate(handle, { present: 12, size: 65_536 }),
    );
    await assert.rejects(filled, /reserve 65536 bytes: the disk is full/);
    assert.equal(await readFile(at("file"), "utf8"), "there before");
  });

  it("gives back what it got before the disk was full: most file systems keep that", async () => {
    const says = "fallocate: fallocate failed: No space left on device";
    const script = `truncate -s 5000 /proc/self/fd/3; echo "${says}" >&2; exit 1`;
    await withFallocate(script, async () => {
      await assert.rejects(preallocate(handle, { present: 12, size }), /the disk is full/);
    });
    assert.equal(await readFile(at("file"), "utf8"), "there before");
  });

  for (const [ending, says] of [
    ["echo fallocate: File too large >&2; exit 1", /larger than the file system or `ulimit -f`/],
    ["kill -XFSZ $$", /larger than the file system or `ulimit -f`/],
    ["echo fallocate: Disk quota exceeded >&2; exit 1", /quota is used up/],
  ] as const) {
    it(`says what is wrong when fallocate ends with: ${ending}`, async () => {
      await withFallocate(ending, async () => {
        await assert.rejects(preallocate(handle, { present: 12, size }), says);
      });
      assert.equal(await readFile(at("file"), "utf8"), "there before");
    });
  }

  it("sets the length where the file system cannot reserve", async () => {
    const says = "echo fallocate: Operation not supported >&2; exit 1";
    await withFallocate(says, () => preallocate(handle, { present: 12, size }));
    assert.equal((await stat(at("file"))).size, size);
    assert.ok((await stat(at("file"))).blocks * 512 < size);
  });

  it("sets the length alone in memory, where taking the space is as dear as filling it", async () => {
    await preallocate(handle, { present: 12, size, isInMemory: true });
    const { size: length, blocks } = await stat(at("file"));
    assert.equal(length, size);
    assert.ok(blocks * 512 < size);
  });

  it("says so when not even the length can be set", async () => {
    const set = refusingOn("truncate", "EFBIG", () =>
      withoutPrograms(() => preallocate(handle, { present: 12, size })),
    );
    await assert.rejects(set, /reserve 1000001 bytes: the file is larger/);
  });

  it("does nothing for an empty file", async () => {
    await preallocate(handle, { present: 0, size: 0 });
    assert.equal((await stat(at("file"))).size, 12);
  });
});
