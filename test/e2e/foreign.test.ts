/** Servers by others that know the three core calls only, one of which sends wrong bytes. */

import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { createServer, type Server } from "nice-grpc";
import { ReplicaService } from "../../gen/quorate/v1/replica_pb.js";
import { definitionOf } from "../../src/grpc/service.js";
import { limits } from "../../src/limits.js";
import { receiptOf } from "../support/e2e-receipt.js";
import { madeUp } from "../support/made-up.js";
import { manifestOfBytes } from "../support/memory-replica.js";
import { Workspace } from "../support/workspace.js";

const whole = definitionOf(ReplicaService);
const { getChecksum, getSize, readRange } = whole.methods;
const core = { ...whole, methods: { getChecksum, getSize, readRange } };
const chunkBytes = 64 * 1024;
const right = madeUp(3_000_017);
const { digest } = manifestOfBytes(right);

describe("servers that give no pieces", function () {
  this.timeout(60_000);
  const here = Workspace.forSuite();
  const servers: Server[] = [];
  afterEach(() => {
    for (const server of servers.splice(0)) server.forceShutdown();
  });

  /** Serves these bytes, and claims the digest of the right ones; gives the port. */
  async function serve(bytes: Uint8Array): Promise<number> {
    const server = createServer();
    servers.push(server);
    server.add(core, {
      // The size is left to the other call.
      getChecksum: async ({ name }) => ({ name, digest }),
      getSize: async ({ name }) => ({ name, size: BigInt(bytes.length) }),
      async *readRange({ offset, length }) {
        const start = Number(offset);
        const end = length === 0n ? bytes.length : start + Number(length);
        for (let at = start; at < end; at += chunkBytes) {
          yield { offset: BigInt(at), data: bytes.subarray(at, Math.min(at + chunkBytes, end)) };
        }
      },
    });
    return server.listen("127.0.0.1:0");
  }

  async function oneIsWrong(): Promise<number[]> {
    const wrong = Buffer.from(right);
    // Every fourth piece, of whichever it is asked for.
    for (let at = 0; at < wrong.length; at += 4 * chunkBytes) wrong[at] = (wrong[at] ?? 0) ^ 1;
    return Promise.all([serve(right), serve(wrong), serve(right)]);
  }

  it("are all read, and the one whose range is wrong is found, without a new start", async () => {
    const ports = await oneIsWrong();
    const got = await here.run(["get", "file.bin", "-o", "got.bin", "--json", "-p", ...ports]);
    assert.equal(got.code, 0, got.stderr);
    assert.ok(right.equals(await readFile(here.path("got.bin"))));
    assert.match(got.stdout, /"event":"second-opinions"/);
    const { replicas, wastedBytes } = receiptOf(got.stdout);
    const standings = replicas.map(({ standing }) => standing);
    assert.deepEqual(standings, ["good", "banned", "good"]);
    const { evidence } = replicas[1] ?? {};
    assert.ok(evidence !== undefined && evidence.piece % 4 === 0);
    assert.notEqual(evidence.expected, evidence.actual);
    for (const { claim } of replicas)
      assert.deepEqual([claim?.size, claim?.root], [right.length, undefined]);
    assert.equal(got.stdout.split('"event":"agreement"').length, 2, "one attempt");
    // What came with the vote; everything once more, and a third time what two differ about.
    const earlyBytes = ports.length * limits.earlyBytes;
    assert.ok(wastedBytes < earlyBytes + 2 * right.length, `${wastedBytes} bytes in vain`);
  });

  it("are told of in words", async () => {
    const ports = await oneIsWrong();
    const got = await here.run(["get", "file.bin", "-o", "told.bin", "-p", ...ports]);
    assert.equal(got.code, 0, got.stderr);
    assert.match(got.stderr, /^file\.bin: the whole file is wrong: it is read again from others/m);
    const banned = `127.0.0.1:${ports[1]} is banned: served piece \\d+ corrupt`;
    assert.match(got.stderr, new RegExp(`^file\\.bin: ${banned}$`, "m"));
  });
});
