/** What a person sees and types: live views and keys, in a real terminal. */

import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { freePorts } from "../support/cli.js";
import { madeUp } from "../support/made-up.js";
import { Terminal } from "../support/terminal.js";
import { Workspace } from "../support/workspace.js";

describe("in a terminal", () => {
  const here = Workspace.forSuite();
  const data = madeUp(8 * 1024 * 1024);
  const terminals: Terminal[] = [];
  before(() => here.write("movie.bin", data));
  afterEach(() => {
    for (const terminal of terminals.splice(0)) terminal.kill();
  });

  function open(...args: (string | number)[]): Terminal {
    const terminal = new Terminal(args, here.folder);
    terminals.push(terminal);
    return terminal;
  }

  it("typing a server's number stops that server for real, typing it again starts it", async () => {
    const [first, second] = await freePorts(2);
    const serving = open("serve", "-f", "movie.bin", "-p", String(first), String(second));
    await serving.shows(/# +address +state[\s\S]*type a server's number/);
    serving.type("2");
    await serving.shows(/server 2 on port \d+ is stopped: asked to/);
    const args = ["get", "-o", "alone.bin", "--quorum", 1, "-p", String(first), String(second)];
    const got = await here.run(args);
    assert.equal(got.code, 0, got.stderr);
    assert.match(got.stderr, new RegExp(`127.0.0.1:${second} is silent: unreachable`));
    serving.type("2");
    await serving.shows(/server 2 on port \d+ is started/);
    const survey = await here.run(["survey", "-p", String(first), String(second)]);
    assert.match(survey.stdout, /2 of 2 replicas agree/);
    serving.type("q");
    await serving.shows(/serve: stopped; 8\.00 MiB were sent/);
    assert.equal(await serving.ended, 0);
  });

  it("Ctrl-C drains a group of servers", async () => {
    const [port] = await freePorts(1);
    const serving = open("serve", "-f", "movie.bin", "-p", String(port));
    await serving.shows(/type a server's number/);
    serving.type("\u0003");
    await serving.shows(/serve: stopped;/);
    assert.equal(await serving.ended, 0);
  });

  it("get draws the whole file, and a line for each replica", async () => {
    const ports = await freePorts(2);
    await here.serve(["-f", "movie.bin", "-p", ...ports, "--limit-rate", "3MiB"]);
    const getting = open("get", "-o", "live.bin", "-p", ...ports);
    await getting.shows(/movie\.bin {2}█+░+ {2}[\d.]+ % of 8\.00 MiB/);
    await getting.shows(/replica +standing +rate +share[\s\S]*good +[\d.]+ MiB\/s +[\d.]+ %/);
    await getting.shows(/verified sha256:/);
    assert.equal(await getting.ended, 0);
    assert.ok(data.equals(await readFile(here.path("live.bin"))));
  });

  it("get asks for the name when there are several", async () => {
    await here.write("both/movie.bin", data);
    await here.write("both/notes.txt", "notes");
    const [port] = await freePorts(1);
    await here.serve(["both", "-p", String(port)]);
    const getting = open(
      "get",
      "-o",
      "asked.txt",
      "--chunks",
      4,
      "--quorum",
      1,
      "-p",
      String(port),
    );
    await getting.shows(/movie\.bin\s+notes\.txt\s+file name: /);
    getting.type("notes.txt\r");
    await getting.shows(/verified sha256:/);
    assert.equal(await readFile(here.path("asked.txt"), "utf8"), "notes");
  });
});
