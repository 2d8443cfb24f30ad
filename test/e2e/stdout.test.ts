/** `get -o -`: a file that goes down a pipe while it comes. */

import assert from "node:assert/strict";
import { execFile, execFileSync } from "node:child_process";
import { once } from "node:events";
import { mkdir, readFile } from "node:fs/promises";
import { setTimeout } from "node:timers/promises";
import { promisify } from "node:util";
import { freePorts, mainPath } from "../support/cli.js";
import { madeUp } from "../support/made-up.js";
import { Terminal } from "../support/terminal.js";
import { Workspace } from "../support/workspace.js";

describe("get -o -", function () {
  this.timeout(180_000);
  const here = Workspace.forSuite();
  const content = madeUp(6_000_000);

  /** Three servers of this file, as flags. */
  async function serving(file: string, ...more: readonly string[]): Promise<string> {
    const ports = await freePorts(3);
    await here.serve(["-f", file, "-p", ...ports, ...more]);
    return `-p ${ports.join(" ")}`;
  }

  /** A pipeline in bash; `quorate` in it is ours. */
  async function shell(script: string): Promise<{ stdout: string; stderr: string }> {
    const quorate = `quorate() { '${process.execPath}' '${mainPath}' "$@"; }`;
    return promisify(execFile)("bash", ["-c", `${quorate}; ${script}`], {
      cwd: here.folder,
      maxBuffer: 64 * 1024 * 1024,
    });
  }

  it("| tar x unpacks what is served", async () => {
    await here.write("folder/data.bin", content);
    execFileSync("tar", ["cf", "site.tar", "folder"], { cwd: here.folder });
    const flags = await serving("site.tar");
    await mkdir(here.path("out"));
    const { stdout, stderr } = await shell(
      `quorate get site.tar -o - ${flags} | tar x -C out; echo "\${PIPESTATUS[@]}"`,
    );
    assert.equal(stdout, "0 0\n", stderr);
    assert.ok(content.equals(await readFile(here.path("out/folder/data.bin"))));
    assert.match(stderr, /verified sha256:/);
  });

  it("| head -c 1 ends quietly, as cat does", async () => {
    const flags = await serving(await here.write("large.bin", content));
    const { stdout, stderr } = await shell(
      `quorate get large.bin -o - ${flags} | head -c 1 | wc -c; echo "\${PIPESTATUS[@]}"`,
    );
    assert.match(stdout, /^\s*1\n141 0 0\n$/);
    assert.doesNotMatch(stderr, /EPIPE|bug|at /);
  });

  it("interrupted while nobody reads ends at once, and promises no resuming", async () => {
    const flags = await serving(await here.write("stuck.bin", content));
    const getting = here.start(["get", "stuck.bin", "-o", "-", ...flags.split(" ")]);
    const { child } = getting;
    child.stdout.pause();
    while (child.stdout.readableLength === 0) await setTimeout(20);
    child.kill("SIGINT");
    const [code] = await once(child, "exit");
    child.stdout.resume();
    assert.equal(code, 130);
    await getting.finished;
    assert.match(getting.stderr, /interrupted; what was written is incomplete\n$/);
  });

  it("keeps reports, events and errors off stdout, and a receipt too", async () => {
    const file = await here.write("events.bin", content);
    const flags = await serving(file);
    const { stderr } = await shell(
      `quorate get events.bin -o - --json --receipt kept.json ${flags} > got.bin`,
    );
    assert.ok(content.equals(await readFile(here.path("got.bin"))));
    const events = stderr
      .trim()
      .split("\n")
      .map((line) => JSON.parse(line).event);
    assert.equal(events[0], "agreement");
    assert.equal(events.at(-1), "receipt");
    const verified = await here.run(["verify", "got.bin", "--receipt", "kept.json"]);
    assert.equal(verified.code, 0, verified.stderr);
    const failed = await here.run(["get", "none.bin", "-o", "-", "--json", ...flags.split(" ")]);
    assert.equal(failed.code, 4);
    assert.equal(failed.stdout, "");
    assert.match(failed.stderr, /"event":"error","code":"not-found"/);
  });

  it("appends to a file that stdout is, and says when its disk refuses", async () => {
    const flags = await serving(await here.write("more.bin", content));
    await shell(`echo -n before > both; quorate get more.bin -o - ${flags} >> both`);
    const both = await readFile(here.path("both"));
    assert.ok(both.equals(Buffer.concat([Buffer.from("before"), content])));
    const full = await shell(
      `(ulimit -f 1000; trap '' XFSZ; quorate get more.bin -o - ${flags} > cut); echo $?`,
    );
    assert.equal(full.stdout, "7\n", full.stderr);
    const device = await shell(`quorate get more.bin -o - ${flags} > /dev/full; echo $?`);
    assert.equal(device.stdout, "7\n", device.stderr);
    // Nothing of a pipe can be resumed, and nobody is told to try.
    assert.match(device.stderr, /^write stdout: the disk is full$/m);
    assert.match(full.stderr, /write stdout: the file is larger than/);
  });

  it("that a full disk refuses is told by commands that only print, and by no transfer", async () => {
    const flags = await serving(await here.write("most.bin", content));
    for (const command of ["digest most.bin", `list ${flags}`, `survey most.bin ${flags}`]) {
      const { stdout, stderr } = await shell(`quorate ${command} > /dev/full; echo $?`);
      assert.equal(stdout, "7\n", stderr);
      assert.equal(stderr, "write stdout: the disk is full\n");
      const piped = await shell(`quorate ${command} | true; echo \${PIPESTATUS[0]}`);
      assert.equal(piped.stdout, "0\n", piped.stderr);
    }
    const got = await shell(`quorate get most.bin -o all.bin ${flags} > /dev/full; echo $?`);
    assert.equal(got.stdout, "0\n", got.stderr);
  });

  it("makes no sense with -r, an old copy, or a terminal", async () => {
    for (const flags of [["-r"], ["--seed", "old"]]) {
      const { code, stderr } = await here.run(["get", "x", "-o", "-", ...flags, "-p", "9"]);
      assert.equal(code, 2);
      assert.match(stderr, /^get: -o -: .*leave (-r|--seed) out\n$/);
    }
    const terminal = new Terminal(["get", "x", "-o", "-", "-p", "9"], here.folder);
    try {
      await terminal.shows(/stdout is a terminal; --force writes to it all the same/);
      assert.equal(await terminal.ended, 2);
    } finally {
      terminal.kill();
    }
  });
});
