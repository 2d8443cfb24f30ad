/** Old copies: what is equal in them is not fetched, and what is not cannot hurt. */

import assert from "node:assert/strict";
import { readFile, symlink } from "node:fs/promises";
import { freePorts } from "../support/cli.js";
import { changedAt, deliveredBytes, receiptOf } from "../support/e2e-receipt.js";
import { madeUp } from "../support/made-up.js";
import { Workspace } from "../support/workspace.js";

const size = 64 * 1024 * 1024 + 7;
const pieceBytes = 64 * 1024;

describe("an old copy", function () {
  this.timeout(120_000);
  const here = Workspace.forSuite();
  const data = madeUp(size);
  // Five pieces: two neighbours, one alone, the first, and the last, which is 7 bytes long.
  const old = changedAt(data, 0, 10 * pieceBytes, 11 * pieceBytes + 9, 500 * pieceBytes, size - 1);
  const missing = 4 * pieceBytes + 7;

  async function serving(): Promise<(string | number)[]> {
    await here.write("of/new.bin", data);
    const ports = await freePorts(3);
    await here.serve(["-f", "of/new.bin", "-p", ...ports]);
    return ["-p", ...ports];
  }

  it("leaves only what changed to fetch; a link that is named is followed", async () => {
    const ports = await serving();
    const path = await here.write("old.bin", old);
    await symlink(path, here.path("link.bin"));
    const got = await here.run(["get", "--seed", "link.bin", "-o", "a.bin", "--json", ...ports]);
    assert.equal(got.code, 0, got.stderr);
    assert.ok(data.equals(await readFile(here.path("a.bin"))));
    const receipt = receiptOf(got.stdout);
    assert.equal(deliveredBytes(receipt), missing);
    assert.equal(receipt.seededBytes, size - missing);
    assert.ok(old.equals(await readFile(path)), "the old copy is as it was");
  });

  it("of several, each gives what it has", async () => {
    const ports = await serving();
    await here.write("first.bin", old.subarray(0, size / 2));
    await here.write("second.bin", old);
    const seeds = ["--seed", "first.bin", "--seed", "second.bin"];
    const got = await here.run(["get", ...seeds, "-o", "b.bin", "--json", ...ports]);
    assert.equal(got.code, 0, got.stderr);
    assert.equal(deliveredBytes(receiptOf(got.stdout)), missing);
    const given = got.stdout.split("\n").filter((line) => line.includes('"event":"seeded"'));
    assert.equal(given.length, 2);
  });

  it("is the file that --force replaces, unless --no-seed says no", async () => {
    const ports = await serving();
    const args = ["get", "--force", "-o", "c.bin", "--json", ...ports];
    await here.write("c.bin", old);
    const seeded = await here.run(args);
    assert.equal(seeded.code, 0, seeded.stderr);
    assert.equal(deliveredBytes(receiptOf(seeded.stdout)), missing);
    assert.ok(data.equals(await readFile(here.path("c.bin"))));
    const fetched = await here.run([...args, "--no-seed"]);
    assert.equal(deliveredBytes(receiptOf(fetched.stdout)), size);
  });

  it("that is named and cannot be read is an error before anybody is asked", async () => {
    await here.mkdir("folder");
    for (const [seed, message] of [
      ["none.bin", /read none\.bin: no such file/],
      ["folder", /read folder: it is a folder/],
    ] as const) {
      const got = await here.run(["get", "x", "--seed", seed, "-p", 1]);
      assert.equal(got.code, 7);
      assert.match(got.stderr, message);
    }
  });

  it("is told to people in words", async () => {
    const ports = await serving();
    await here.write("old.bin", old);
    await here.write("other.bin", madeUp(1024 * 1024, 9));
    const seeds = ["--seed", "other.bin", "--seed", "old.bin"];
    const { stdout, stderr } = await here.run(["get", "-o", "d.bin", ...seeds, ...ports]);
    assert.match(stderr, /nothing in other\.bin is equal at the same place/);
    assert.match(stderr, /63\.8 MiB are equal in old\.bin and are not fetched/);
    assert.match(stdout, /, 63\.8 MiB from an old copy/);
  });
});
