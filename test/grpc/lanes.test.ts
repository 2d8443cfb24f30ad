/** Reads on several streams run on as many connections; everything else shares the first. */

import assert from "node:assert/strict";
import { once } from "node:events";
import { connectReplica, type RemoteReplica } from "../../src/grpc/replica-client.js";
import { listenReplica } from "../../src/grpc/replica-server.js";
import type { Call } from "../../src/ports.js";
import type { ListeningServer } from "../../src/server-ports.js";
import { Doorman } from "../support/doorman.js";
import { madeUp } from "../support/made-up.js";
import { memoryReplica } from "../support/memory-replica.js";

const content = madeUp(1_000_000);
const everything = { pageSize: 0, pageToken: "", prefix: "" };

describe("streams to a replica, on the wire", function () {
  this.timeout(60_000);
  let listening: ListeningServer;
  let doorman: Doorman;
  let port: number;
  let replica: RemoteReplica;

  beforeEach(async () => {
    const at = { host: "127.0.0.1", port: 0 };
    listening = await listenReplica(memoryReplica({ "a.bin": content }), at);
    doorman = new Doorman(listening.port);
    port = await doorman.listen();
  });
  afterEach(() => {
    replica.close();
    doorman.server.close();
    listening.kill();
  });

  const call = (lane?: number): Call => {
    return { signal: new AbortController().signal, deadlineMs: 30_000, lane };
  };
  async function read(start: number, end: number, lane?: number): Promise<void> {
    const parts: Uint8Array[] = [];
    const request = { name: "a.bin", range: { start, end }, ifDigest: undefined };
    for await (const { bytes } of replica.read(request, call(lane))) {
      parts.push(Uint8Array.from(bytes));
    }
    assert.equal(Buffer.compare(Buffer.concat(parts), content.subarray(start, end)), 0);
  }

  for (const isExpress of [true, false]) {
    describe(isExpress ? "the express way" : "the ordinary way", () => {
      beforeEach(() => {
        replica = connectReplica("127.0.0.1", port, { isExpress });
      });

      it("each has a connection of its own, made when it is first used", async () => {
        await replica.claim("a.bin", call());
        await Promise.all([read(0, 200_000), read(300_000, 400_000, 0)]);
        assert.equal(doorman.came, 1);
        const parts = [1, 2, 3].map((lane) => read(lane * 200_000, (lane + 1) * 200_000, lane));
        await Promise.all(parts);
        assert.equal(doorman.came, 4);
        const others = [replica.size("a.bin", call()), replica.list(everything, call())];
        await Promise.all([read(0, 1000, 3), read(0, 1000, 1), ...others]);
        assert.equal(doorman.came, 4);
      });

      it("all of them end when the replica is closed", async () => {
        await Promise.all([read(0, 1000), read(1000, 2000, 1), read(2000, 3000, 2)]);
        assert.equal(doorman.open.size, 3);
        replica.close();
        while (doorman.open.size > 0) await once(doorman.server, "left");
        assert.equal(doorman.came, 3);
      });
    });
  }
});
