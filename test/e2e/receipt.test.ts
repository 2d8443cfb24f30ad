/** Receipts that are kept, and files that are checked against them when nobody can be asked. */

import assert from "node:assert/strict";
import { readFile, writeFile } from "node:fs/promises";
import { freePorts } from "../support/cli.js";
import { madeUp } from "../support/made-up.js";
import { Workspace } from "../support/workspace.js";

describe("a receipt", function () {
  this.timeout(120_000);
  const here = Workspace.forSuite();
  const right = madeUp(3_000_000);

  it("is kept with the evidence, and later tells a right file from a wrong one", async () => {
    const ports = await freePorts(4);
    const [, corrupt, lying] = ports;
    const file = await here.write("served/file.bin", right);
    const faults = ["--fault", `${corrupt}:corrupt`, `${lying}:lie`];
    await here.serve(["-f", file, "-p", ...ports, ...faults, "--limit-rate", "4MiB"]);
    const wanted = ["get", "file.bin", "-o", "got.bin", "--quorum", "3", "--receipt", "got.json"];
    const got = await here.run([...wanted, "-p", ...ports]);
    assert.equal(got.code, 0, got.stderr);

    const kept = JSON.parse(await readFile(here.path("got.json"), "utf8"));
    assert.equal(kept.rule, "3");
    assert.equal(kept.manifest.size, right.length);
    assert.equal(kept.votes.length, 4);
    assert.match(kept.program, /^quorate \d/);
    const [, banned, dissenting] = kept.replicas;
    assert.equal(dissenting.standing, "dissenting");
    assert.equal(banned.standing, "banned");
    assert.equal(typeof banned.evidence.piece, "number");
    assert.notEqual(banned.evidence.expected, banned.evidence.actual);
    assert.ok(banned.evidence.atMs > 0);

    const good = await here.run(["verify", "got.bin", "--receipt", "got.json"]);
    assert.equal(good.code, 0, good.stderr);
    assert.match(good.stdout, /^got\.bin: right: sha256:/);
    assert.match(good.stdout, /3 of 4 replicas \(rule: 3\)/);

    const bytes = Buffer.from(right);
    bytes[2_000_000] = (bytes[2_000_000] ?? 0) ^ 1;
    await writeFile(here.path("flipped.bin"), bytes);
    const bad = await here.run(["verify", "flipped.bin", "--receipt", "got.json"]);
    assert.equal(bad.code, 6);
    assert.match(bad.stdout, /the root of its pieces differs/);
    assert.equal(bad.stderr, "");
    const json = await here.run(["verify", "flipped.bin", "--json", "--receipt", "got.json"]);
    assert.equal(json.code, 6);
    assert.deepEqual(JSON.parse(json.stdout).differs, ["digest", "root"]);
    await writeFile(here.path("short.bin"), right.subarray(0, 1000));
    const short = await here.run(["verify", "short.bin", "--receipt", "got.json"]);
    assert.equal(short.code, 6);
    assert.match(short.stdout, /1000 bytes; the receipt: 3000000 bytes/);
  });

  it("is not overwritten, and that is known before anybody is asked", async () => {
    await here.write("kept.json", "before");
    const asked = ["get", "file.bin", "-o", "never.bin", "--receipt", "kept.json", "-p", "9"];
    const got = await here.run(asked);
    assert.equal(got.code, 7);
    assert.match(got.stderr, /^write .*kept\.json: it exists already; --force replaces it\n$/);
    assert.equal(await readFile(here.path("kept.json"), "utf8"), "before");
    const same = ["get", "file.bin", "-o", "x.bin", "--receipt", "x.bin", "-p", "9"];
    assert.equal((await here.run(same)).code, 2);
  });

  it("that is none is a usage error of one line, and so are flags that it contradicts", async () => {
    await here.write("file.bin", right);
    await here.write("bad.json", JSON.stringify({ format: "\u001b[2J" }));
    const bad = await here.run(["verify", "file.bin", "--receipt", "bad.json"]);
    assert.equal(bad.code, 2);
    assert.match(
      bad.stderr,
      /^receipt bad\.json: format: it is not quorate-receipt-1: another version .*\n$/,
    );
    for (const flags of [
      ["-p", "9"],
      ["--servers", "a:1"],
      ["--quorum", "2"],
      ["--name", "x"],
    ]) {
      const run = await here.run(["verify", "file.bin", "--receipt", "bad.json", ...flags]);
      assert.equal(run.code, 2);
      assert.match(run.stderr, /^verify: --receipt asks nobody, so --\w+ has no say/);
    }
  });
});
