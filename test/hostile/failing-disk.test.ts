/** The disk fails under a serving process, in a real system call: the read says so, and no more. */

import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { readFile } from "node:fs/promises";
import { createChannel, createClient } from "nice-grpc";
import { Health } from "../../gen/grpc/health/v1/health_pb.js";
import { connectReplica } from "../../src/grpc/replica-client.js";
import { definitionOf } from "../../src/grpc/service.js";
import { ReplicaFault } from "../../src/ports.js";
import { freePorts } from "../support/cli.js";
import { madeUp } from "../support/made-up.js";
import { Workspace } from "../support/workspace.js";

/** Why no call can be made to fail here, as an end for a title; empty when one can. */
function tracingProblem(): string {
  const fault = ["-e", "trace=fsync", "-e", "inject=fsync:error=EIO:when=1"];
  const { error, status, stderr } = spawnSync("strace", ["-f", "-qq", ...fault, "true"]);
  if (error !== undefined) return ` (skipped: strace cannot be run: ${error.message})`;
  if (status === 0) return "";
  return ` (skipped: strace cannot trace here: ${String(stderr).split("\n")[0]})`;
}

const problem = tracingProblem();

describe(`a disk that fails under a serving process${problem}`, function () {
  this.timeout(120_000);
  const here = Workspace.forSuite();
  const data = madeUp(300_000);
  let path = "";
  let serving = 0;
  afterEach(() => {
    try {
      if (serving > 0) process.kill(serving, "SIGKILL");
    } catch {
      // It is gone already.
    }
  });
  before(async function () {
    if (problem !== "") this.skip();
    path = await here.write("shared/a.bin", data);
  });

  it("is DATA_LOSS for that read and a mark on health, and the next one is right", async () => {
    const [port = 0] = await freePorts(1);
    // The first call on the file hashes it, and the second one, which fails, is of a read. strace
    // counts the calls of each thread on its own: one thread makes them all.
    const reading = "pread64,preadv,preadv2";
    const fault = ["-e", `trace=${reading}`, "-e", `inject=${reading}:error=EIO:when=2`];
    const prefix = ["strace", "-f", "-qq", "-o", "/dev/null", ...fault, "-P", path];
    const env = { UV_THREADPOOL_SIZE: "1" };
    const strace = await here.serve(["shared", "-p", port], { env, prefix });
    // Signals are for it: one to strace would be for strace.
    const { pid } = strace.child;
    serving = Number(await readFile(`/proc/${pid}/task/${pid}/children`, "utf8"));
    const remote = connectReplica("127.0.0.1", port);
    const call = { signal: new AbortController().signal, deadlineMs: 60_000 };
    const request = {
      name: "a.bin",
      range: { start: 0, end: data.length },
      ifDigest: undefined,
    };
    const read = async (): Promise<Buffer | string> => {
      const parts: Buffer[] = [];
      try {
        for await (const { bytes } of remote.read(request, call)) parts.push(Buffer.from(bytes));
        return Buffer.concat(parts);
      } catch (error) {
        if (!(error instanceof ReplicaFault)) throw error;
        return JSON.stringify(error.fault);
      }
    };
    const channel = createChannel(`127.0.0.1:${port}`);
    const health = createClient(definitionOf(Health), channel);
    const { SERVING, NOT_SERVING } = { SERVING: 1, NOT_SERVING: 2 };
    await remote.claim("a.bin", call);
    assert.equal((await health.check({})).status, SERVING);
    assert.match(String(await read()), /"corrupt".*its disk failed \(EIO\)/);
    assert.equal((await health.check({})).status, NOT_SERVING);
    assert.deepEqual(await read(), data);
    channel.close();
    remote.close();
    const got = await here.run(["get", "a.bin", "-p", port, "-o", "out.bin"]);
    assert.equal(got.code, 0, got.stderr);
    process.kill(serving, "SIGTERM");
    const { code, stderr } = await strace.finished;
    serving = 0;
    assert.equal(code, 0, stderr);
    assert.doesNotMatch(stderr, /outside of any call|nobody foresaw/);
  });
});
