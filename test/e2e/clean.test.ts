/** What is left over is listed and removed; what is in use or somebody's stays. */

import assert from "node:assert/strict";
import { writeFile } from "node:fs/promises";
import { freePorts } from "../support/cli.js";
import { madeUp } from "../support/made-up.js";
import { Terminal } from "../support/terminal.js";
import { Workspace } from "../support/workspace.js";

describe("clean", function () {
  this.timeout(120_000);
  const here = Workspace.forSuite();
  const data = madeUp(12 * 1024 * 1024);

  /** Begins downloads that take long, in a folder of their own. */
  async function begin(folder: string, ...outputs: string[]) {
    await here.write("of/file.bin", data);
    await here.mkdir(folder);
    const [port = 0] = await freePorts(1);
    await here.serve(["-f", "of/file.bin", "-p", port, "--limit-rate", "1MiB"]);
    const running = outputs.map((output) =>
      here.start(["get", "-o", `${folder}/${output}`, "-i", "0.2", "--json", "-p", port]),
    );
    for (const getting of running) await getting.says(/"doneBytes":[1-9]/);
    return running;
  }

  it("lists what a killed download left, and removes it once told so", async () => {
    const [killed] = await begin("a", "file.bin");
    await killed?.end("SIGKILL");
    const left = [".file.bin.quorate-journal", ".file.bin.quorate-part"];
    assert.deepEqual(await here.names("a"), left);
    const listed = await here.run(["clean", "a"]);
    assert.equal(listed.code, 0, listed.stderr);
    assert.match(listed.stdout, /a\/\.file\.bin\.quorate-part +partial +12\.0 MiB +\d+ (s|min)/);
    assert.match(listed.stderr, /nothing is removed; --yes removes 2 files/);
    assert.deepEqual(await here.names("a"), left);
    const young = await here.run(["clean", "a", "--older-than", "7d", "--yes"]);
    assert.match(young.stderr, /nothing is left over/);
    const cleaned = await here.run(["clean", "--yes", "--json"], { cwd: here.path("a") });
    assert.equal(cleaned.code, 0, cleaned.stderr);
    assert.deepEqual(
      cleaned.stdout.split("\n").flatMap((line) => /"event":"(\w+)"/.exec(line)?.[1] ?? []),
      ["leftover", "leftover", "removed", "removed"],
    );
    assert.deepEqual(await here.names("a"), []);
  });

  it("leaves alone what is being written, and what is not ours", async () => {
    const [running, killed] = await begin("b", "one.bin", "two.bin");
    await killed?.end("SIGKILL");
    await writeFile(here.path("b", ".mine.quorate-part"), "mine");
    await writeFile(here.path("b", "mine.txt"), "mine");
    const cleaned = await here.run(["clean", "b", "--yes"]);
    assert.equal(cleaned.code, 0, cleaned.stderr);
    assert.match(cleaned.stdout, /\.one\.bin\.quorate-part .* kept: in use by process \d+/);
    assert.match(
      cleaned.stdout,
      /\.mine\.quorate-part .* kept: nothing shows that quorate made it/,
    );
    assert.match(cleaned.stderr, /removed 2 files, 12\.0 MiB/);
    assert.deepEqual(await here.names("b"), [
      ".mine.quorate-part",
      ".one.bin.quorate-journal",
      ".one.bin.quorate-part",
      "mine.txt",
    ]);
    await running?.end("SIGKILL");
  });

  it("asks a person, and takes anything but yes for no", async () => {
    const [killed] = await begin("c", "file.bin");
    await killed?.end("SIGKILL");
    for (const [typed, expected] of [
      ["\r", 2],
      ["y\r", 0],
    ] as const) {
      const terminal = new Terminal(["clean"], here.path("c"));
      try {
        await terminal.shows(/remove 2 files \(12\.0 MiB\)\? \[y\/N\]/);
        terminal.type(typed);
        assert.equal(await terminal.ended, 0);
      } finally {
        terminal.kill();
      }
      const left = (await here.names("c")).filter((name) => name.includes(".quorate-"));
      assert.equal(left.length, expected);
    }
  });

  it("says of a folder that is not there that it is not", async () => {
    const { code, stderr } = await here.run(["clean", "none"]);
    assert.equal(code, 7);
    assert.match(stderr, /none: no such file or folder/);
  });
});
