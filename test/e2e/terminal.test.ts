/** What a person sees and types: live views and keys, in a real terminal. */

import assert from "node:assert/strict";
import { once } from "node:events";
import { readFile } from "node:fs/promises";
import { connect } from "node:http2";
import { freePorts, mainPath } from "../support/cli.js";
import { madeUp } from "../support/made-up.js";
import { requestOf } from "../support/raw-grpc.js";
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
    return track(new Terminal(args, here.folder));
  }

  function track(terminal: Terminal): Terminal {
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

  it("a number that no server has is answered", async () => {
    const [port] = await freePorts(1);
    const serving = open("serve", "-f", "movie.bin", "-p", String(port));
    await serving.shows(/type a server's number/);
    serving.type("7");
    await serving.shows(/q to end \(there is no server 7\)/);
  });

  it("more servers than the terminal has rows: the first ones, and how many more", async () => {
    const ports = await freePorts(8);
    const serving = track(
      new Terminal(["serve", "-f", "movie.bin", "-p", ...ports], here.folder, { rows: 6 }),
    );
    await serving.shows(/# +address[\s\S]*1 +127[\s\S]*3 +127.*\s+… and 6 more lines/);
  });

  it("where nothing can be drawn, get says a line each second", async () => {
    const ports = await freePorts(1);
    await here.serve(["-f", "movie.bin", "-p", ...ports, "--limit-rate", "3MiB"]);
    const args = ["get", "-o", "dumb.bin", "-p", ...ports];
    const getting = track(new Terminal(args, here.folder, { kind: "dumb" }));
    await getting.shows(/movie\.bin: [\d.]+ % of 8\.00 MiB, /);
    assert.equal(await getting.ended, 0);
    // biome-ignore lint/suspicious/noControlCharactersInRegex: it is what must not be there.
    assert.doesNotMatch(getting.output, /\u001b/);
  });

  it("Ctrl-C drains a group of servers", async () => {
    const [port] = await freePorts(1);
    const serving = open("serve", "-f", "movie.bin", "-p", String(port));
    await serving.shows(/type a server's number/);
    serving.type("\u0003");
    await serving.shows(/serve: stopped;/);
    assert.equal(await serving.ended, 0);
  });

  it("a second Ctrl-C ends a drain at once", async () => {
    const [port] = await freePorts(1);
    const serving = open("serve", "-f", "movie.bin", "-p", String(port), "--limit-rate", "64KiB");
    await serving.shows(/type a server's number/);
    const reading = connect(`http://127.0.0.1:${port}`).on("error", () => {});
    const stream = reading.request({
      ":method": "POST",
      ":path": "/quorate.v1.ReplicaService/ReadRange",
      "content-type": "application/grpc",
      te: "trailers",
    });
    stream.on("error", () => {}).end(requestOf({}));
    await once(stream, "data");
    serving.type("\u0003");
    await serving.shows(/running reads may finish/);
    serving.type("\u0003");
    await serving.ended;
    assert.doesNotMatch(serving.output, /serve: stopped/);
    reading.destroy();
  });

  it("a job in the background of a shell serves, and takes keys once it is in front", async () => {
    const [port] = await freePorts(1);
    const shell = track(
      new Terminal(["--norc", "--noprofile", "-i"], here.folder, { program: "bash" }),
    );
    const isServing = async () => {
      const { stdout } = await here.run(["survey", "-p", String(port)]);
      assert.match(stdout, /1 of 1 replica agree/);
    };
    shell.type(`'${process.execPath}' '${mainPath}' serve -f movie.bin -p ${port} &\r`);
    await shell.shows(/serve: movie\.bin from 1 virtual server/);
    await isServing();
    shell.type("jobs\r");
    await shell.shows(/Running.*movie\.bin/);
    shell.type("fg\r");
    await shell.shows(/fg[\s\S]*main\.js.*serve -f/);
    shell.type("1");
    await shell.shows(/server 1 on port \d+ is stopped/);
    shell.type("1");
    await shell.shows(/server 1 on port \d+ is started/);
    shell.type("\u001a");
    await shell.shows(/Stopped/);
    shell.type("bg\r");
    await shell.shows(/main\.js.*&/);
    await isServing();
    shell.type("echo the shell has the keys\r");
    await shell.shows(/keys\s[\s\S]*the shell has the keys/);
    await isServing();
    shell.type("fg\r");
    await shell.shows(/fg[\s\S]*main\.js.*serve -f/);
    shell.type("q");
    await shell.shows(/serve: stopped;/);
  });

  it("get in a window that became narrower takes away all rows of what it had drawn", async () => {
    const ports = await freePorts(2);
    await here.serve(["-f", "movie.bin", "-p", ...ports, "--limit-rate", "1MiB"]);
    const getting = open("get", "-o", "narrow.bin", "-p", ...ports);
    await getting.shows(/replica +standing +rate +share[\s\S]*good[\s\S]*good/);
    getting.resize(50, 30);
    // Each of the two replicas' lines still fits, the line of the whole file does not.
    // biome-ignore lint/suspicious/noControlCharactersInRegex: it is how a terminal is told.
    await getting.shows(/\u001b\[5A\r\u001b\[J[\s\S]*movie\.bin {2}[\d.]+ % /);
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
