/** Whatever throws within a serving process, it serves on, and says what it was. */

import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { connectReplica } from "../../src/grpc/replica-client.js";
import { freePorts, type Running } from "../support/cli.js";
import { madeUp } from "../support/made-up.js";
import { Workspace } from "../support/workspace.js";

const preload = join(import.meta.dirname, "../support/trouble.mjs");

describe("trouble within a serving process", function () {
  this.timeout(120_000);
  const here = Workspace.forSuite();
  const data = madeUp(300_000);
  before(() => here.write("shared/a.bin", data));
  let output = 0;

  async function serve(trouble: string, ...more: readonly string[]) {
    const ports = await freePorts(2);
    const env = { NODE_OPTIONS: `--import=${preload}`, TROUBLE: trouble };
    const serving = here.start(["serve", "shared", "-p", ...ports, ...more], { env });
    await serving.says(/listening|2 virtual servers/);
    return { serving, ports };
  }

  async function make(serving: Running): Promise<void> {
    serving.child.kill("SIGUSR2");
    await serving.says(/trouble is made/);
  }

  async function servesOn(serving: Running, ports: readonly number[]): Promise<string> {
    const name = `${output++}.bin`;
    const got = await here.run(["get", "a.bin", "--quorum", "all", "-p", ...ports, "-o", name]);
    assert.equal(got.code, 0, got.stderr);
    assert.ok((await readFile(here.path(name))).equals(data));
    const { code, stderr } = await serving.end("SIGTERM");
    assert.equal(code, 0, stderr);
    return stderr;
  }

  const troubles: readonly (readonly [trouble: string, told: RegExp])[] = [
    ["throw", /Error: planted/],
    ["reject", /TypeError: planted/],
    ["literal", /planted/],
    ["unprintable", /Object: null prototype/],
  ];
  for (const [trouble, told] of troubles) {
    it(`${trouble}: it says what failed, under a number, and serves on`, async () => {
      const { serving, ports } = await serve(trouble);
      await make(serving);
      await serving.says(/failed outside of any call \([0-9a-f]{8}\)/);
      assert.match(await servesOn(serving, ports), told);
    });
  }

  it("the log has the whole stack", async () => {
    const { serving, ports } = await serve("throw", "--log-level", "info");
    await make(serving);
    await serving.says(/"msg":"survived"/);
    const lines = (await servesOn(serving, ports)).split("\n");
    const { reference, stack } = JSON.parse(lines.find((line) => line.includes("survived")) ?? "");
    assert.match(reference, /^[0-9a-f]{8}$/);
    assert.match(stack, /Error: planted\n +at .*trouble\.mjs/);
  });

  for (const log of [[], ["--log-level", "info"]]) {
    it(`a call that fails in an unforeseen way has a number that is explained ${log}`, async () => {
      const { serving, ports } = await serve("fail when looked at again", ...log);
      const [port = 0] = ports;
      await make(serving);
      const remote = connectReplica("127.0.0.1", port);
      const call = { signal: new AbortController().signal, deadlineMs: 60_000 };
      const request = { name: "a.bin", range: { start: 0, end: 10 }, ifDigest: undefined };
      const failure = await remote
        .read(request, call)
        [Symbol.asyncIterator]()
        .next()
        .then(
          () => "it was read",
          (error: Error) => JSON.stringify(error),
        );
      remote.close();
      const [, reference = "none"] = /reference ([0-9a-f]{8})/.exec(failure) ?? [failure];
      await serving.says(new RegExp(`${reference}[^\\n]*planted`));
      const { code, stderr } = await serving.end("SIGTERM");
      assert.equal(code, 0, stderr);
      assert.doesNotMatch(failure, /planted/);
    });
  }

  it("a virtual server that stops listening is started again, and both are told", async () => {
    const { serving, ports } = await serve("stop listening");
    await make(serving);
    await serving.says(/server 2 on port \d+ is stopped: it died: it stopped listening/);
    await serving.says(/server 2 on port \d+ is started/);
    await servesOn(serving, ports);
  });

  it("it is noticed although somebody is still connected", async () => {
    const { serving, ports } = await serve("stop listening");
    const remote = connectReplica("127.0.0.1", ports[1] ?? 0);
    const call = { signal: new AbortController().signal, deadlineMs: 60_000 };
    assert.equal((await remote.size("a.bin", call)).size, data.length);
    await make(serving);
    await serving.says(/server 2 on port \d+ is stopped: it died: it stopped listening/);
    await serving.says(/server 2 on port \d+ is started/);
    remote.close();
    await servesOn(serving, ports);
  });
});
