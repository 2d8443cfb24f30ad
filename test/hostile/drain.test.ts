/** A server that is told to end lets its readers finish or go on elsewhere, and blames nobody. */

import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { freePorts } from "../support/cli.js";
import { madeUp } from "../support/made-up.js";
import { Workspace } from "../support/workspace.js";

const MiB = 1024 * 1024;

interface ReplicaReceipt {
  readonly address: string;
  readonly standing: string;
  readonly deliveredBytes: number;
}

describe("SIGTERM in mid-transfer", function () {
  this.timeout(180_000);
  const workspace = Workspace.forSuite();
  const data = madeUp(24 * MiB);
  before(() => workspace.write("a.bin", data));

  it("the server ends with 0, the client goes on with the other, and bans nobody", async () => {
    const ports = await freePorts(2);
    const serve = (port = 0) =>
      workspace.serve(["-f", "a.bin", "-p", port, "--limit-rate", "2MiB"]);
    const [leaving] = [await serve(ports[0]), await serve(ports[1])];
    // One vote is enough to go on: the file is what both said.
    const args = ["get", "a.bin", "-p", ...ports, "-o", "out.bin", "--json", "-i", "0.2"];
    const getting = workspace.start(args);
    await getting.says(/"doneBytes":[1-9]\d{6}/);
    const { code } = await leaving.end("SIGTERM");
    assert.equal(code, 0, leaving.stderr);
    const got = await getting.finished;
    assert.equal(got.code, 0, got.stderr);
    assert.ok((await readFile(workspace.path("out.bin"))).equals(data));
    const receipt = JSON.parse(got.stdout.trim().split("\n").at(-1) ?? "");
    const replicas: readonly ReplicaReceipt[] = receipt.replicas;
    assert.ok(replicas.every(({ standing }) => standing !== "banned"));
    assert.ok(replicas.every(({ deliveredBytes }) => deliveredBytes > 0));
  });
});
