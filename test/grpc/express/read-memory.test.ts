/** What express connections share: blocks are used again, and none is kept once all have left. */

import assert from "node:assert/strict";
import { ExpressConnection } from "../../../src/grpc/express/express-connection.js";
import { firstWindowBytes, frameKind } from "../../../src/grpc/express/frames.js";
import { ReadMemory } from "../../../src/grpc/express/read-memory.js";
import { limits } from "../../../src/limits.js";
import { dataFrames, headers, RawServer } from "./raw-server.js";
import { allOf, idle, onLastHeaders, part, readOn } from "./reading.js";

describe("the memory of express connections", () => {
  it("hands out the block that was used last", () => {
    const memory = new ReadMemory();
    memory.join();
    const [one, other] = [memory.take(), memory.take()];
    memory.give(one);
    memory.give(other);
    assert.equal(memory.take(), other);
    assert.equal(memory.take(), one);
  });

  it("keeps no more than its bound, and none once nobody is there", () => {
    const memory = new ReadMemory();
    memory.join();
    memory.join();
    const most = limits.receiveBytes / limits.chunkBytes;
    const blocks = Array.from({ length: most + 10 }, () => memory.take());
    const first = blocks[0] ?? assert.fail();
    for (const block of [...blocks.slice(1), first]) memory.give(block);
    assert.notEqual(memory.take(), first, "more than the bound are kept");
    memory.leave();
    assert.ok(blocks.includes(memory.take()));
    memory.leave();
    assert.ok(!blocks.includes(memory.take()), "blocks are kept for nobody");
    memory.give(first);
    assert.notEqual(memory.take(), first);
  });

  it("has one buffer for all sockets", () => {
    const memory = new ReadMemory();
    memory.join();
    assert.equal(memory.buffer, memory.buffer);
  });
});

describe("two express connections with one memory", () => {
  const servers = [new RawServer(), new RawServer()];
  const memory = new ReadMemory();
  const taken: Buffer[] = [];
  let onTake = () => {};
  let connections: readonly ExpressConnection[] = [];

  before(async () => {
    const take = memory.take.bind(memory);
    memory.take = () => {
      const block = take();
      taken.push(block);
      onTake();
      return block;
    };
    const ports = await Promise.all(servers.map((server) => server.listen()));
    connections = ports.map(
      (port) => new ExpressConnection({ host: "127.0.0.1", port, tls: undefined }, memory),
    );
  });
  after(() => {
    for (const connection of connections) connection.close();
    for (const server of servers) server.close();
  });

  it("read what comes on each, however it is interleaved, and use blocks of each other", async () => {
    const [one, other] = connections;
    const [server, second] = servers;
    if (!one || !other || !server || !second) assert.fail();
    server.greet();
    second.greet();
    for (let start = 0; start < 2_400_000; start += 800_000) {
      const middle = start + 400_000;
      const end = start + 800_000;
      const reading: Promise<number[]> = Promise.all([
        allOf(readOn(one, { start, end: middle }), start),
        allOf(readOn(other, { start: middle, end }), middle),
      ]);
      const asked = [await server.next(frameKind.data), await second.next(frameKind.data)];
      const [a = 0, b = 0] = asked.map(({ stream }) => stream);
      const parts = [part(a, start, middle), part(b, middle, end)];
      for (let at = 0; at < (parts[0]?.length ?? 0); at++) {
        server.send(...(parts[0]?.slice(at, at + 1) ?? []));
        second.send(...(parts[1]?.slice(at, at + 1) ?? []));
      }
      server.send(headers(a, 5));
      second.send(headers(b, 5));
      assert.deepEqual(await reading, [middle, end]);
    }
    assert.ok(taken.length >= 6);
    assert.ok(new Set(taken).size <= 4, `${new Set(taken).size} blocks for two reads at a time`);
  });

  it("have back the blocks of a read that was left in its midst", async () => {
    const [one] = connections;
    const [server] = servers;
    if (!one || !server) assert.fail();
    const before = taken.length;
    const areTaken = new Promise<void>((resolve) => {
      onTake = () => {
        if (taken.length === before + 3) resolve();
      };
    });
    const reading = readOn(one, { start: 0, end: 3_000_000 });
    const first = reading.next();
    const { stream } = await server.next(frameKind.data);
    server.send(...part(stream, 0, 1_400_000));
    await Promise.all([first, areTaken]);
    await reading.return(undefined);
    const known = new Set(taken);
    const blocks = Array.from({ length: known.size }, () => memory.take());
    assert.ok(
      blocks.every((block) => known.has(block)),
      "a block was lost",
    );
  });

  it("share what may be on its way", async () => {
    const [one] = connections;
    const [server] = servers;
    if (!one || !server) assert.fail();
    for (let others = 0; others < 63; others++) memory.windows.readBegins();
    const reading = readOn(one, { start: 0, end: 3_000_000 });
    const first = reading.next();
    const { stream } = await server.next(frameKind.data);
    assert.equal(server.granted.get(stream), 512 * 1024 - firstWindowBytes);
    server.send(...part(stream, 0, 100));
    await first;
    await reading.return(undefined);
  });

  it("take a message that is larger than a share", async () => {
    const [, other] = connections;
    const [, server] = servers;
    if (!other || !server) assert.fail();
    const request = { headers: Buffer.alloc(0), message: Buffer.alloc(9), onLastHeaders };
    const asking = other.ask(request, idle).next();
    const { stream } = await server.next(frameKind.data);
    const granted = firstWindowBytes + (server.granted.get(stream) ?? 0);
    assert.ok(granted > limits.messageBytes, `${granted} bytes are granted`);
    server.send(...dataFrames(stream, 0, Buffer.alloc(1_000_000)));
    assert.ok(((await asking).value?.length ?? 0) > 1_000_000);
  });
});
