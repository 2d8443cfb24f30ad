/** A serving process that runs out of descriptors says so to whoever asks, and goes on after. */

import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import type { Socket } from "node:net";
import { connectReplica } from "../../src/grpc/replica-client.js";
import { type Replica, ReplicaFault } from "../../src/ports.js";
import { freePorts } from "../support/cli.js";
import { madeUp } from "../support/made-up.js";
import { attack } from "../support/raw-http2.js";
import { Workspace } from "../support/workspace.js";

/** More than Node opens at once while it starts; fewer than all connections that are allowed. */
const descriptors = 160;
const limited = ["sh", "-c", `ulimit -n ${descriptors}; exec "$@"`, "sh"];
const perAddress = 60;
const mostConnections = 4 * perAddress;

/** `claimed`, or the kind of fault. */
async function claimOf(replica: Replica, name: string): Promise<string> {
  const call = { signal: new AbortController().signal, deadlineMs: 60_000 };
  for (;;) {
    try {
      await replica.claim(name, call);
      return "claimed";
    } catch (error) {
      if (!(error instanceof ReplicaFault)) throw error;
      if (error.fault.kind !== "hashing") return error.fault.kind;
    }
  }
}

describe("a serving process without descriptors", function () {
  this.timeout(180_000);
  const here = Workspace.forSuite();
  // So large that a thread hashes it, which needs descriptors, too.
  const data = madeUp(4 * 1024 * 1024 + 100);
  const files = 40;
  before(async () => {
    for (let file = 0; file < files; file++) {
      await here.write(`shared/${file}.bin`, data.subarray(file));
    }
  });

  it("is busy, however few it has left, and then serves again; nothing is thrown", async () => {
    const [port = 0] = await freePorts(1);
    const args = ["shared", "-p", port, "--log-level", "info", "--json"];
    const serving = await here.serve(args, { prefix: limited });
    const remote = connectReplica("127.0.0.1", port);
    assert.equal(await claimOf(remote, "0.bin"), "claimed");
    const sockets: Socket[] = [];
    // The one by one is what takes it through every number of descriptors that are left.
    while ((await claimOf(remote, "1.bin")) !== "busy" || sockets.length < descriptors / 2) {
      assert.ok(sockets.length < mostConnections, "it ran out of descriptors");
      const address = `127.0.0.${2 + Math.floor(sockets.length / perAddress)}`;
      sockets.push(await attack(port, address));
    }
    const outcomes: string[] = [];
    for (let file = 2; file < files; file++) {
      outcomes.push(await claimOf(remote, `${file}.bin`));
      sockets.pop()?.destroy();
    }
    assert.deepEqual([...new Set(outcomes)].sort(), ["busy", "claimed"], outcomes.join(" "));
    for (const socket of sockets) socket.destroy();
    remote.close();
    const got = await here.run(["get", "1.bin", "-p", port, "-o", "out.bin"]);
    assert.equal(got.code, 0, got.stderr);
    assert.ok((await readFile(here.path("out.bin"))).equals(data.subarray(1)));
    const { code, stderr } = await serving.end("SIGTERM");
    assert.equal(code, 0, stderr);
    assert.doesNotMatch(stderr, /survived|unforeseen/);
  });
});
