/** Memory comes back soon, and nobody waits for that for long. */

import assert from "node:assert/strict";
import { once } from "node:events";
import { connect } from "node:net";
import { GarbageCollector, garbageCollector } from "../../src/grpc/collect-garbage.js";
import { SendMemory } from "../../src/grpc/read-wire.js";
import { limits } from "../../src/limits.js";
import { wires } from "../serve/wire.js";
import { memoryReplica } from "../support/memory-replica.js";

describe("the garbage collector", () => {
  it("takes an eighth of the time, however often it is asked", () => {
    let now = 0;
    let spentMs = 0;
    const collector = new GarbageCollector(
      () => {
        now += 15;
        spentMs += 15;
      },
      () => now,
    );
    for (; now < 30_000; now++) collector.collect();
    assert.ok(spentMs > 0.9 * (now / 8), `${spentMs} ms`);
    assert.ok(spentMs <= now / 8 + 15, `${spentMs} ms`);
  });

  it("finds what is dead in this process, and says when it rests", async () => {
    const dead = new WeakRef({});
    // Until then it is held.
    await new Promise((resolve) => setImmediate(resolve));
    const collector = new GarbageCollector();
    assert.deepEqual([collector.collect(), collector.collect()], [true, false]);
    assert.equal(dead.deref(), undefined);
  });
});

describe("a virtual server to which connections come and go", () => {
  const { collect } = garbageCollector;
  const { listen } = wires();
  afterEach(() => {
    garbageCollector.collect = collect;
  });

  async function comeAndGo(port: number, count: number): Promise<void> {
    const sockets = Array.from({ length: count }, () => connect(port, "127.0.0.1").resume());
    for (const socket of sockets) socket.on("error", () => {});
    await Promise.all(sockets.map((socket) => once(socket, "connect")));
    await Promise.all(sockets.map((socket) => once(socket.destroy(), "close")));
  }

  it("keeps no spare memory once it is quiet", async () => {
    const memory = new SendMemory();
    const hasForgotten = new Promise<void>((resolve) => {
      memory.forget = resolve;
    });
    const bounds = { ...limits, requestMs: 400 };
    const port = await listen(memoryReplica({}), { bounds, memory });
    for (let count = 0; count < limits.endingsCollected; count += 50) await comeAndGo(port, 50);
    await hasForgotten;
  });

  it("collects them while they still come", async () => {
    let isCollected = false;
    garbageCollector.collect = () => {
      isCollected = true;
      return true;
    };
    const port = await listen(memoryReplica({}));
    // They come too fast for it to be quiet in between.
    const most = 10 * limits.connectionsCollected;
    for (let count = 0; count < most && !isCollected; count += 50) await comeAndGo(port, 50);
    assert.ok(isCollected);
  });
});
