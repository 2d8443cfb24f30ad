/** A real process that is told to end: what it says, what it exits with, and what it keeps. */

import assert from "node:assert/strict";
import { mkdir, readFile, writeFile } from "node:fs/promises";
import { createServer } from "node:net";
import type { Finished, Running } from "../support/cli.js";
import { madeUp } from "../support/made-up.js";
import { Workspace } from "../support/workspace.js";
import { doneBytesOf, resumes, slowServers } from "./resuming.js";

const data = madeUp(8 * 1024 * 1024 + 3);

describe("a signal", function () {
  this.timeout(180_000);
  const here = Workspace.forSuite();

  for (const [signal, code] of [
    ["SIGINT", 130],
    ["SIGTERM", 143],
    ["SIGHUP", 129],
  ] as const) {
    it(`${signal} makes durable what was verified, says how to resume, and exits with ${code}`, async () => {
      const ports = await slowServers(here, data);
      const args = ["get", "-o", `${signal}.bin`, "-i", "0.05", "--json", "-p", ...ports];
      const first = here.start(args);
      await first.says(/"doneBytes":[1-9]\d{6},/);
      const before = performance.now();
      const ended = await first.end(signal);
      assert.equal(ended.code, code, ended.stderr);
      assert.ok(performance.now() - before < 20_000, "it was told 2 s");
      const says = "get: interrupted; run the same command again to resume";
      assert.equal(ended.stderr, `${says}\n`);
      assert.ok(
        ended.stdout.endsWith(`{"event":"error","code":"interrupted","message":"${says}"}\n`),
      );
      const keptBytes = doneBytesOf(first);
      await resumes(here, args, { output: `${signal}.bin`, bytes: data, keptBytes });
    });
  }

  it("while servers are silent ends it at once", async () => {
    const silent = createServer();
    await new Promise<void>((resolve) => silent.listen(0, "127.0.0.1", resolve));
    const address = silent.address();
    const port = typeof address === "object" && address !== null ? address.port : 0;
    const connected = new Promise((resolve) => silent.once("connection", resolve));
    try {
      const asking = here.start(["get", "x", "-p", port]);
      await connected;
      const { code, stderr } = await asking.end("SIGINT");
      assert.deepEqual(
        [code, stderr],
        [130, "get x: interrupted; run the same command again to resume\n"],
      );
    } finally {
      silent.close();
    }
  });

  it("to one that was not to resume says how to", async () => {
    const ports = await slowServers(here, data);
    const args = ["get", "-o", "afresh.bin", "-i", "0.05", "--no-resume", "-p", ...ports];
    const first = here.start(args);
    await first.says(/[1-9][\d.]* % of/);
    const { code, stderr } = await first.end("SIGINT");
    assert.equal(code, 130);
    assert.match(stderr, /interrupted; run it again without --no-resume to resume\n$/);
  });
});

describe("a signal to one whose disk takes for ever", function () {
  this.timeout(180_000);
  const here = Workspace.forSuite();
  let stuck: number | undefined;
  afterEach(() => {
    if (stuck !== undefined) process.kill(stuck, "SIGKILL");
    stuck = undefined;
  });

  /** One that waits for its disk: `fallocate` here is a program that does not end. */
  async function waiting(output: string): Promise<Running> {
    const ports = await slowServers(here, data);
    await mkdir(here.path("bin"), { recursive: true });
    const pidFile = here.path(`${output}.pid`);
    const script = `#!/bin/sh\necho $$ > '${pidFile}.new'; mv '${pidFile}.new' '${pidFile}'; exec sleep 600\n`;
    await writeFile(here.path("bin/fallocate"), script, { mode: 0o755 });
    const env = { PATH: `${here.path("bin")}:${process.env.PATH}` };
    const getting = here.start(["get", "file.bin", "-o", output, "-p", ...ports], { env });
    stuck = await pidIn(pidFile);
    return getting;
  }

  it("ends it after 2 s all the same, and says what may be lost", async () => {
    const getting = await waiting("late.bin");
    const before = performance.now();
    const ended = await getting.end("SIGINT");
    assertKilledBy("SIGINT", ended);
    const seconds = (performance.now() - before) / 1000;
    assert.ok(seconds > 1.5 && seconds < 60, `it took ${seconds} s`);
    assert.match(
      ended.stderr,
      /^.*interrupted; the disk took more than 2 s .*may be lost; run the same command again.*\n$/m,
    );
  });

  it("ends it at once when it is the second", async () => {
    const getting = await waiting("twice.bin");
    getting.child.kill("SIGINT");
    getting.child.kill("SIGTERM");
    const ended = await getting.finished;
    assert.match(String(ended.code), /^SIG(INT|TERM)$/);
    assert.doesNotMatch(ended.stderr, /the disk took/);
  });
});

function assertKilledBy(signal: string, { code, stderr }: Finished): void {
  assert.equal(code, signal, stderr);
}

async function pidIn(path: string): Promise<number> {
  for (;;) {
    const text = await readFile(path, "utf8").catch(() => undefined);
    if (text !== undefined) return Number(text);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}
