/** What a server that ends tells the reads that still run when its time is over. */

import assert from "node:assert/strict";
import { setTimeout as delay } from "node:timers/promises";
import { connectReplica } from "../../src/grpc/replica-client.js";
import { listenReplica } from "../../src/grpc/replica-server.js";
import { type Replica, ReplicaFault } from "../../src/ports.js";
import { memoryReplica } from "../support/memory-replica.js";

/** Drips without end, a chunk each few milliseconds. */
const dripping: Replica = {
  ...memoryReplica({ "a.bin": Buffer.alloc(1000) }),
  async *read({ range: { start } }, { signal }) {
    for (let offset = start; ; offset += 10) {
      yield { offset, bytes: Buffer.alloc(10) };
      await delay(5, undefined, { signal });
    }
  },
};

describe("a server that ends", () => {
  it("tells reads that still run, just before it cuts them off, to go on elsewhere", async () => {
    const listening = await listenReplica(dripping, { host: "127.0.0.1", port: 0 });
    const remote = connectReplica("127.0.0.1", listening.port);
    const call = { signal: new AbortController().signal, deadlineMs: 60_000 };
    const range = { start: 0, end: 2 ** 30 };
    const request = { name: "a.bin", range, ifDigest: undefined };
    let drained: Promise<void> | undefined;
    let chunks = 0;
    let fault: unknown;
    try {
      for await (const _ of remote.read(request, call)) {
        drained ??= listening.drain(1000);
        chunks++;
      }
    } catch (error) {
      if (!(error instanceof ReplicaFault)) throw error;
      fault = error.fault;
    }
    await drained;
    remote.close();
    assert.deepEqual(fault, { kind: "busy", retryMs: 10_000 });
    assert.ok(chunks > 10, `it ran on for ${chunks} chunks before that`);
  });
});
