import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { readdirSync } from "node:fs";
import { chmod, symlink, truncate, writeFile } from "node:fs/promises";
import { StorageError, UsageError } from "../../src/errors.js";
import { openSeeds } from "../../src/files/seed-file.js";
import { limits } from "../../src/limits.js";
import { asOrdinaryUser, scratchFolder } from "../support/scratch-folder.js";

const refusal = (message: RegExp) => (error: unknown) =>
  error instanceof StorageError && message.test(error.message);

const neverSkipped = () => assert.fail("nothing is left out");

describe("openSeeds", () => {
  const at = scratchFolder();

  const openDescriptors = () => readdirSync("/proc/self/fd").length;

  it("gives each file's size and bytes, up to its end", async () => {
    await writeFile(at("old"), "hello");
    await using opened = await openSeeds({ named: [at("old")], existing: undefined }, neverSkipped);
    const [seed] = opened.seeds;
    assert.deepEqual([seed?.path, seed?.size], [at("old"), 5]);
    const buffer = Buffer.alloc(4);
    assert.equal(await seed?.read(1, buffer), 4);
    assert.equal(buffer.toString(), "ello");
    assert.equal(await seed?.read(3, buffer), 2);
    await truncate(at("old"), 1);
    assert.equal(await seed?.read(3, buffer), 0, "it became shorter");
  });

  it("follows a link that the user names, and no other", async () => {
    await writeFile(at("old"), "hello");
    await symlink(at("old"), at("link"));
    await using named = await openSeeds({ named: [at("link")], existing: undefined }, neverSkipped);
    assert.equal(named.seeds.length, 1);
    const skipped: string[] = [];
    const existing = { named: [], existing: at("link") };
    await using opened = await openSeeds(existing, (path, why) => skipped.push(path, why));
    assert.equal(opened.seeds.length, 0);
    assert.equal(skipped[0], at("link"));
  });

  it("refuses what is named and cannot be read, and keeps nothing open", async () => {
    spawnSync("mkfifo", [at("fifo")]);
    await writeFile(at("good"), "");
    await writeFile(at("locked"), "");
    await chmod(at("locked"), 0o000);
    const before = openDescriptors();
    const open = (...names: string[]) =>
      openSeeds({ named: names.map((name) => at(name)), existing: undefined }, neverSkipped);
    await assert.rejects(open("good", "none"), refusal(/none: no such file/));
    await assert.rejects(open("good", "fifo"), refusal(/fifo: it is no regular file/));
    await assert.rejects(open("good", "."), refusal(/it is a folder/));
    await asOrdinaryUser(() => assert.rejects(open("locked"), refusal(/permission denied/)));
    assert.equal(openDescriptors(), before);
  });

  it("takes the existing output when it is there, and says why when it cannot", async () => {
    const none = { named: [], existing: at("none") };
    await using nothing = await openSeeds(none, neverSkipped);
    assert.equal(nothing.seeds.length, 0);
    await writeFile(at("locked"), "");
    await chmod(at("locked"), 0o000);
    const skipped: string[] = [];
    await asOrdinaryUser(async () => {
      const existing = { named: [], existing: at("locked") };
      await using opened = await openSeeds(existing, (_, why) => skipped.push(why));
      assert.equal(opened.seeds.length, 0);
    });
    assert.match(skipped.join(), /permission denied/);
  });

  it("is bounded", async () => {
    const named = Array.from({ length: limits.seeds + 1 }, () => at("old"));
    await assert.rejects(openSeeds({ named, existing: undefined }, neverSkipped), UsageError);
  });
});
