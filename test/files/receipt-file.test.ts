import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { mkdir, readdir, readFile, rm, symlink, writeFile } from "node:fs/promises";
import { StorageError, UsageError } from "../../src/errors.js";
import { readReceipt, receiptPlace, writeReceipt } from "../../src/files/receipt-file.js";
import { limits } from "../../src/limits.js";
import { disturbing, refusing } from "../support/refusing-disk.js";
import { scratchFolder } from "../support/scratch-folder.js";

describe("a receipt file", () => {
  const at = scratchFolder();

  it("appears whole, and nothing is left beside it", async () => {
    await writeReceipt(await receiptPlace(at("r.json"), false), "text");
    assert.equal(await readFile(at("r.json"), "utf8"), "text");
    assert.deepEqual(await readdir(at()), ["r.json"]);
  });

  it("replaces another one only when forced", async () => {
    await writeFile(at("r.json"), "before");
    await assert.rejects(receiptPlace(at("r.json"), false), StorageError);
    await writeReceipt(await receiptPlace(at("r.json"), true), "after");
    assert.equal(await readFile(at("r.json"), "utf8"), "after");
    assert.deepEqual(await readdir(at()), ["r.json"]);
  });

  it("does not replace one that came while the download ran", async () => {
    const place = await receiptPlace(at("r.json"), false);
    await writeFile(at("r.json"), "somebody else's");
    await assert.rejects(writeReceipt(place, "ours"), /it exists already; --force replaces it/);
    assert.equal(await readFile(at("r.json"), "utf8"), "somebody else's");
    assert.deepEqual(await readdir(at()), ["r.json"]);
  });

  it("does not replace one that comes at the very last moment", async () => {
    const place = await receiptPlace(at("r.json"), false);
    const come = () => writeFile(at("r.json"), "somebody else's");
    const late = disturbing("link", come, () => writeReceipt(place, "ours"));
    await assert.rejects(late, /it exists already; --force replaces it/);
    assert.equal(await readFile(at("r.json"), "utf8"), "somebody else's");
    assert.deepEqual(await readdir(at()), ["r.json"]);
  });

  it("is written where there are no links, too", async () => {
    const place = await receiptPlace(at("r.json"), false);
    await refusing("link", "EPERM", () => writeReceipt(place, "text"));
    assert.equal(await readFile(at("r.json"), "utf8"), "text");
    assert.deepEqual(await readdir(at()), ["r.json"]);
  });

  it("does not replace one that comes at the last moment where there are no links either", async () => {
    const place = await receiptPlace(at("r.json"), false);
    const come = () => writeFile(at("r.json"), "somebody else's");
    const late = refusing("link", "EPERM", () =>
      disturbing("link", come, () => writeReceipt(place, "ours")),
    );
    await assert.rejects(late, /it exists already; --force replaces it/);
    assert.equal(await readFile(at("r.json"), "utf8"), "somebody else's");
    assert.deepEqual(await readdir(at()), ["r.json"]);
  });

  for (const isForced of [false, true]) {
    it(`is not written through a link (forced: ${isForced})`, async () => {
      await writeFile(at("victim"), "precious");
      const place = await receiptPlace(at("r.json"), isForced);
      await symlink(at("victim"), at("r.json"));
      await assert.rejects(receiptPlace(at("r.json"), isForced), /it is a symbolic link/);
      await assert.rejects(writeReceipt(place, "ours"), /it is a symbolic link/);
      assert.equal(await readFile(at("victim"), "utf8"), "precious");
      assert.deepEqual((await readdir(at())).sort(), ["r.json", "victim"]);
    });
  }

  it("needs a folder that is there", async () => {
    await assert.rejects(receiptPlace(at("none", "r.json"), false), StorageError);
    await mkdir(at("gone"));
    const place = await receiptPlace(at("gone", "r.json"), false);
    await rm(at("gone"), { recursive: true });
    await assert.rejects(writeReceipt(place, "text"), StorageError);
  });

  it("is not read when it is not there, a folder, a FIFO or endless", async () => {
    execFileSync("mkfifo", [at("fifo")]);
    for (const path of [at("none"), at(), at("fifo"), "/dev/zero"]) {
      await assert.rejects(readReceipt(path), UsageError, path);
    }
  });

  it("is not read beyond what a receipt can be", async () => {
    await writeFile(at("r.json"), " ".repeat(limits.receiptBytes));
    assert.equal((await readReceipt(at("r.json"))).length, limits.receiptBytes);
    await writeFile(at("r.json"), " ".repeat(limits.receiptBytes + 1));
    await assert.rejects(readReceipt(at("r.json")), /no receipt is longer than \d+ bytes$/);
  });
});
