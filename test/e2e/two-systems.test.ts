/** The command lines that Quorate replaces: both systems, with only the program's name changed. */

import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { freePorts } from "../support/cli.js";
import { madeUp } from "../support/made-up.js";
import { Workspace } from "../support/workspace.js";

describe("the first system", () => {
  const here = Workspace.forSuite();
  const data = madeUp(3_000_017);

  it("serves on four ports, and gets the file from all of them", async () => {
    await here.write("data.mp4", data);
    await here.mkdir("got");
    const ports = await freePorts(4);
    const serving = await here.serve(["-f", "data.mp4", "-n", 4, "-i", 1, "-p", ...ports]);
    const flags = ["-o", "got", "-a", "127.0.0.1", "-i", 1, "-r"];
    const got = await here.run(["get", ...flags, "-p", ...ports]);
    assert.deepEqual([got.code, got.stdout.split("\n")[1]?.slice(0, 15)], [0, "verified sha256"]);
    assert.ok(data.equals(await readFile(here.path("got/data.mp4"))));
    assert.deepEqual(await here.names("got"), ["data.mp4"]);
    await serving.says(/server 4 127\.0\.0\.1:\d+ alive/);
    const stopped = await serving.end("SIGTERM");
    assert.equal(stopped.code, 0);
    assert.match(stopped.stderr, /serve: stopped;/);
  });

  it("takes the long flags too", async () => {
    await here.write("long/data.mp4", data);
    const ports = await freePorts(2);
    const served = ["--file", "long/data.mp4", "--number", 2, "--interval", 1, "--port", ...ports];
    await here.serve(served);
    const flags = ["--output", "long.mp4", "--address", "127.0.0.1", "--interval", 1, "--resume"];
    const got = await here.run(["get", ...flags, "--port", ...ports]);
    assert.equal(got.code, 0, got.stderr);
    assert.ok(data.equals(await readFile(here.path("long.mp4"))));
  });

  it("drops bad and busy ports with a warning, and serves on the rest", async () => {
    await here.write("data.mp4", data);
    const [free, busy] = await freePorts(2);
    await here.serve(["-f", "data.mp4", "-p", String(busy)]);
    const args = ["-f", "data.mp4", "-n", 5, "-p", 0, 70000, "abc", String(busy), String(free)];
    const serving = await here.serve(args);
    assert.match(serving.stderr, /port 0 is dropped: a port is a number from 1 to 65535/);
    assert.match(serving.stderr, /port 70000 is dropped: a port is a number from 1 to 65535/);
    assert.match(serving.stderr, /port "abc" is dropped: it is no number/);
    assert.match(serving.stderr, new RegExp(`port ${busy} is dropped: it is in use`));
    assert.match(serving.stderr, new RegExp(`from 1 virtual server on 127.0.0.1, port ${free}`));
  });
});

describe("the second system", () => {
  const here = Workspace.forSuite();
  const data = madeUp(700_001);

  /** A folder that serves, and a servers file that names its ports. */
  async function twoServers(): Promise<void> {
    await here.write("shared/song.ogg", data);
    await here.write("shared/other.txt", "other");
    const [first, second] = await freePorts(2);
    await here.serve(["-p", String(first)], { cwd: here.path("shared") });
    await here.serve(["-p", String(second)], { cwd: here.path("shared") });
    await here.write("server-info.txt", `127.0.0.1 ${first} # first\n\n127.0.0.1:${second}\n`);
  }
  const flags = ["--servers", "server-info.txt", "--chunks", 4, "--quorum", 1];

  it("serves the folder that it is started in, and gets a file by name", async () => {
    await twoServers();
    const got = await here.run(["get", "song.ogg", ...flags]);
    assert.equal(got.code, 0, got.stderr);
    assert.ok(data.equals(await readFile(here.path("song.ogg"))));
  });

  it("reads the name from stdin", async () => {
    await twoServers();
    const got = await here.run(["get", "-", "-o", "typed.ogg", ...flags], { input: "song.ogg\n" });
    assert.equal(got.code, 0, got.stderr);
    assert.ok(data.equals(await readFile(here.path("typed.ogg"))));
  });

  it("lists some names when none was given and nobody can be asked", async () => {
    await twoServers();
    const got = await here.run(["get", ...flags]);
    assert.equal(got.code, 2);
    assert.match(got.stderr, /which file\? the replicas serve other\.txt, song\.ogg;/);
  });

  it("says `Cannot transfer this file` of a file that nobody has", async () => {
    await twoServers();
    const got = await here.run(["get", "nobody.txt", ...flags]);
    assert.equal(got.code, 4);
    assert.match(got.stderr, /Cannot transfer this file: 2 of 2 replicas have no such file/);
  });

  it("says `not all chunks are downloaded` when no replica is left", async () => {
    await here.write("shared/song.ogg", data);
    const [port] = await freePorts(1);
    const args = ["shared", "-p", String(port), "--fault", `${port}:die`];
    await here.serve(args);
    const got = await here.run([
      "get",
      "song.ogg",
      "-o",
      "never.ogg",
      "--timeout",
      "3s",
      "-p",
      String(port),
    ]);
    assert.equal(got.code, 5, got.stderr);
    // It may die of the read that began with the vote, before it gives its piece list.
    const why = /(no byte for \d s|no replica gave a usable piece list) \(.* connection refused\)/;
    assert.match(got.stderr, new RegExp(`not all chunks are downloaded: ${why.source}`));
  });

  it("is safe where client and server share a folder", async () => {
    const path = await here.write("same/one.bin", data);
    const [port] = await freePorts(1);
    const cwd = here.path("same");
    await here.serve(["-p", String(port)], { cwd });
    const refused = await here.run(["get", "-p", String(port)], { cwd });
    assert.equal(refused.code, 7);
    assert.match(refused.stderr, /one\.bin: it exists already; --force replaces it/);
    const forced = await here.run(["get", "--force", "-p", String(port)], { cwd });
    assert.equal(forced.code, 0, forced.stderr);
    assert.ok(data.equals(await readFile(path)));
  });
});
