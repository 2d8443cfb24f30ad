import assert from "node:assert/strict";
import { readdir, readFile, stat, writeFile } from "node:fs/promises";
import { basename, dirname } from "node:path";
import { makeScratch } from "../../src/files/scratch.js";

describe("makeScratch", () => {
  it("makes a file of exactly so many random bytes, and an empty folder for the output", async () => {
    for (const size of [0, 1, 1024 * 1024 + 1]) {
      await using scratch = await makeScratch("demo.bin", size);
      const bytes = await readFile(scratch.file);
      assert.equal(bytes.length, size);
      if (size > 1) assert.ok(new Set(bytes).size > 200);
      assert.equal(basename(scratch.file), "demo.bin");
      assert.deepEqual(await readdir(dirname(scratch.file)), ["demo.bin"]);
      assert.deepEqual(await readdir(scratch.output), []);
    }
  });

  it("keeps the cache and the output apart from what is served", async () => {
    await using scratch = await makeScratch("demo.bin", 1);
    const folders = [dirname(scratch.file), scratch.output, scratch.cache];
    assert.equal(new Set(folders).size, 3);
  });

  it("goes away with all that is in it", async () => {
    const scratch = await makeScratch("demo.bin", 10);
    await writeFile(`${scratch.output}/got`, "x");
    await scratch[Symbol.asyncDispose]();
    await assert.rejects(stat(dirname(scratch.output)), { code: "ENOENT" });
    await scratch[Symbol.asyncDispose]();
  });

  it("is each time another one, which its owner alone may enter", async () => {
    await using one = await makeScratch("demo.bin", 1);
    await using two = await makeScratch("demo.bin", 1);
    assert.notEqual(one.file, two.file);
    assert.equal((await stat(dirname(one.output))).mode & 0o777, 0o700);
  });
});
