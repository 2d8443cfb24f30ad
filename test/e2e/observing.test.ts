/** What an operator sees of a serving process: a log and metrics, where they are asked for. */

import assert from "node:assert/strict";
import { freePorts } from "../support/cli.js";
import { madeUp } from "../support/made-up.js";
import { Workspace } from "../support/workspace.js";

describe("a serving process under observation", function () {
  this.timeout(120_000);
  const workspace = Workspace.forSuite();
  before(() => workspace.write("shared/a.bin", madeUp(300_000)));

  it("logs one line of JSON for each call", async () => {
    const [port = 0] = await freePorts(1);
    const serving = workspace.start(["serve", "shared", "-p", port, "--log-level", "info"]);
    await serving.says(/"msg":"listening"/);
    const got = await workspace.run(["get", "a.bin", "-p", port, "-o", "out.bin"]);
    assert.equal(got.code, 0, got.stderr);
    await workspace.run(["survey", "gone\u202e.bin", "-p", port]);
    await workspace.run(["survey", "gone.bin", "-p", port]);
    const { stderr, code } = await serving.end("SIGTERM");
    assert.equal(code, 0);
    const lines = stderr
      .trim()
      .split("\n")
      .map((line) => JSON.parse(line));
    const calls = lines.filter(({ msg }) => msg === "call");
    const reads = calls.filter(({ method }) => method === "ReadRange");
    const sent = reads.reduce((sum, { bytes }) => sum + bytes, 0);
    assert.ok(sent >= 300_000, `${sent} bytes`);
    assert.ok(calls.every(({ peer, ms, port: on }) => /^127/.test(peer) && ms >= 0 && on === port));
    assert.ok(calls.some(({ status, name }) => status === "NOT_FOUND" && name === "gone.bin"));
    assert.doesNotMatch(stderr, /\u202e/);
  });

  it("tells Prometheus calls, bytes, streams, hashing and event-loop lag", async () => {
    const [port = 0, metrics = 0] = await freePorts(2);
    await workspace.serve(["shared", "-p", port, "--metrics", `127.0.0.1:${metrics}`]);
    await workspace.run(["get", "a.bin", "-p", port, "-o", "out2.bin"]);
    const response = await fetch(`http://127.0.0.1:${metrics}/metrics`);
    const text = await response.text();
    const status = `quorate_calls_total{port="${port}",method="GetChecksum",status="OK"}`;
    assert.ok(text.includes(status), text);
    assert.match(text, new RegExp(`quorate_sent_bytes_total{port="${port}"} [3-9]\\d{5}`));
    assert.match(text, /^# TYPE quorate_sent_bytes_total counter$/m);
    for (const name of ["quorate_streams", "quorate_hashing", "nodejs_eventloop_lag_seconds"]) {
      assert.match(text, new RegExp(`^${name}`, "m"));
    }
    assert.equal((await fetch(`http://127.0.0.1:${metrics}/`)).status, 404);
  });
});
