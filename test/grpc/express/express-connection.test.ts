/** An express connection: what a reader takes is what comes, and no more waits than a window. */

import assert from "node:assert/strict";
import { ExpressConnection } from "../../../src/grpc/express/express-connection.js";
import { firstWindowBytes, frame, frameKind } from "../../../src/grpc/express/frames.js";
import { ReadMemory } from "../../../src/grpc/express/read-memory.js";
import { limits } from "../../../src/limits.js";
import { overEachWire } from "../../support/wires.js";
import { dataFrames, headers, RawServer } from "./raw-server.js";
import { allOf, eachWith, idle, onLastHeaders, part, readOn, requestBytes } from "./reading.js";

overEachWire("an express connection", (wire) => {
  let server: RawServer;
  let connection: ExpressConnection;

  eachWith(wire, (playedServer, connected) => {
    [server, connection] = [playedServer, connected];
  });

  const read = (start: number, end: number, signal?: AbortSignal) =>
    readOn(connection, { start, end }, signal);

  it("reads a range, in blocks that do not reach over multiples of their size", async () => {
    const size = limits.chunkBytes;
    let next = 100_000;
    const reading = (async () => {
      for await (const { offset, bytes } of read(100_000, 1_500_000)) {
        assert.equal(offset, next);
        next += bytes.length;
        // How much of a block is handed over at once is a matter of time.
        assert.equal(Math.floor(offset / size), Math.floor((next - 1) / size), `${offset}–${next}`);
      }
    })();
    const { stream } = await server.next(frameKind.data);
    server.greet();
    server.send(headers(stream), ...part(stream, 100_000, 1_000_000));
    server.send(...part(stream, 1_000_000, 1_500_000), headers(stream, 5));
    await reading;
    assert.equal(next, 1_500_000);
  });

  it("reads on several streams at once, interleaved as they come", async () => {
    const ends = Promise.all([
      allOf(read(0, 500_000), 0),
      allOf(read(500_000, 900_000), 500_000),
      allOf(read(1_000_000, 1_000_001), 1_000_000),
    ]);
    const streams = [];
    for (let count = 0; count < 3; count++) streams.push((await server.next(0)).stream);
    const [first = 0, second = 0, third = 0] = streams;
    server.greet();
    const a = part(first, 0, 500_000);
    const b = part(second, 500_000, 900_000);
    server.send(...part(third, 1_000_000, 1_000_001));
    for (let at = 0; at < a.length; at++)
      server.send(...a.slice(at, at + 1), ...b.slice(at, at + 1));
    assert.deepEqual(await ends, [500_000, 900_000, 1_000_001]);
  });

  it("is over once every byte is there, without waiting for the answer's end", async () => {
    const reading = allOf(read(0, 10), 0);
    const { stream } = await server.next(frameKind.data);
    server.greet();
    server.send(headers(stream), ...part(stream, 0, 10));
    assert.equal(await reading, 10);
    const next = allOf(read(10, 20), 10);
    const asked = await server.next(frameKind.data);
    server.send(headers(stream, 5), ...part(asked.stream, 10, 20));
    assert.equal(await next, 20);
  });

  it("ends early when the answer does, and goes on with the next", async () => {
    for (const last of [1, 2, 3, 4]) {
      const reading = allOf(read(0, 100), 0);
      const { stream } = await server.next(frameKind.data);
      if (last === 1) server.greet();
      const ends = [
        headers(stream, 5),
        frame(frameKind.reset, 0, stream, Buffer.alloc(4)),
        frame(frameKind.data, 1, stream, Buffer.alloc(0)),
        frame(frameKind.data, 1, stream, Buffer.from([0, 0])),
      ];
      server.send(...part(stream, 0, 40), ...ends.slice(last - 1, last));
      assert.equal(await reading, 40);
    }
    assert.ok(!connection.isSpent && !server.isLeft);
  });

  it("ends early when the connection does, with all that came before", async () => {
    const readings = Promise.all([allOf(read(0, 100), 0), allOf(read(100, 200), 100)]);
    const { stream } = await server.next(frameKind.data);
    server.greet();
    server.send(...part(stream, 0, 40));
    server.hangUp();
    assert.deepEqual(await readings, [40, 100]);
    assert.ok(connection.isSpent);
  });

  it("asks the server to stop when its reader does, and stays", async () => {
    const abort = new AbortController();
    const chunks = read(0, 1_000_000, abort.signal);
    const first = chunks.next();
    const { stream } = await server.next(frameKind.data);
    server.greet();
    server.send(...part(stream, 0, 40));
    assert.equal((await first).value?.bytes.length, 40);
    const second = chunks.next();
    abort.abort();
    assert.deepEqual(await second, { done: true, value: undefined });
    const stop = await server.next(frameKind.reset);
    assert.deepEqual([stop.stream, stop.payload.readUInt32BE(0)], [stream, 8]);

    const leaving = read(0, 100);
    const begun = leaving.next();
    const asked = await server.next(frameKind.data);
    // What was on its way for the one that was left is nobody's now.
    server.send(...part(stream, 40, 100_000), ...part(asked.stream, 0, 50));
    assert.equal((await begun).value?.bytes.length, 50);
    await leaving.return(undefined);
    assert.equal((await server.next(frameKind.reset)).stream, asked.stream);
    assert.ok(!connection.isSpent);
  });

  it("tells what came and was not taken, before its reader left and after", async () => {
    let lostBytes = 0;
    const onLost = (bytes: number) => {
      lostBytes += bytes;
    };
    const left = readOn(connection, { start: 0, end: 3_000_000 }, idle, onLost);
    const first = left.next();
    const { stream } = await server.next(frameKind.data);
    server.greet();
    server.send(headers(stream), ...part(stream, 0, 1_000_000));
    const { value } = await first;
    assert.ok(value !== undefined);
    const takenBytes = value.bytes.length;
    // What comes for another read comes behind all that was sent before.
    const untilItCame = async () => {
      const next = allOf(read(0, 10), 0);
      const { stream: other } = await server.next(frameKind.data);
      server.send(headers(other), ...part(other, 0, 10));
      await next;
    };
    await untilItCame();
    await left.return(undefined);
    assert.ok(lostBytes > 0, "what waited for its reader");
    server.send(...part(stream, 1_000_000, 1_200_000));
    await untilItCame();
    const framesBytes = lostBytes + takenBytes - 1_200_000;
    assert.ok(framesBytes >= 0 && framesBytes < 100, `${framesBytes} bytes beside the file's own`);
  });

  it("is not used again when nothing came for long", async () => {
    const chunks = read(0, 100);
    const first = chunks.next();
    const { stream } = await server.next(frameKind.data);
    server.greet();
    server.send(...part(stream, 0, 40));
    await first;
    const { now } = performance;
    try {
      performance.now = () => now.call(performance) + limits.idleMs + 1;
      await chunks.return(undefined);
    } finally {
      performance.now = now;
    }
    await server.left();
    assert.ok(connection.isSpent);
  });

  it("keeps the process alive only while it is read from", async () => {
    const sockets = () =>
      process.getActiveResourcesInfo().filter((kind) => kind === "TCPSocketWrap").length;
    const chunks = read(0, 100);
    const first = chunks.next();
    const { stream } = await server.next(frameKind.data);
    server.greet();
    server.send(...part(stream, 0, 40));
    await first;
    const reading = sockets();
    await chunks.return(undefined);
    assert.equal(sockets(), reading - 1);
    const again = read(0, 100).next();
    assert.equal(sockets(), reading);
    server.send(...part((await server.next(frameKind.data)).stream, 0, 40));
    await again;
  });

  it("ends early when nobody listens", async () => {
    const closed = new RawServer();
    const port = await closed.listen();
    closed.close();
    const at = { host: "127.0.0.1", port, tls: wire.tls()?.client };
    const gone = new ExpressConnection(at, new ReadMemory());
    const request = { headers: Buffer.alloc(0), message: Buffer.alloc(9), onLastHeaders };
    assert.equal(await allOf(gone.read({ ...request, range: { start: 0, end: 9 } }, idle), 0), 0);
    assert.ok(gone.isSpent);
  });

  it("takes a new connection when the first window for requests is used up", async () => {
    let asked = 0;
    for (; asked < 1000; asked++) {
      const chunks = read(0, 10);
      const first = chunks.next();
      if (connection.isSpent) break;
      const { stream } = await server.next(frameKind.data);
      if (asked === 0) server.greet();
      server.send(...part(stream, 0, 10), headers(stream, 5));
      await first;
      await chunks.return(undefined);
    }
    assert.equal(asked, Math.floor(65_535 / requestBytes));
    await server.left();
  });

  describe("when the server goes away", () => {
    const goAway = (last: number) =>
      frame(frameKind.goAway, 0, 0, Buffer.from([0, 0, 0, last, 0, 0, 0, 0, 1, 2, 3]));

    it("finishes what it still answers, and takes no more", async () => {
      const readings = Promise.all([allOf(read(0, 100), 0), allOf(read(100, 200), 100)]);
      await server.next(frameKind.data);
      server.greet();
      server.send(...part(1, 0, 40), goAway(1), ...part(1, 40, 100));
      assert.deepEqual(await readings, [100, 100]);
      assert.ok(connection.isSpent);
      assert.equal(await allOf(read(0, 10), 0), 0);
      await server.left();
    });
  });

  describe("with a reader that does not take", () => {
    it("grants no more than a window, and the rest once it takes", async () => {
      const bytes = Buffer.alloc(limits.windowBytes + 2_000_000);
      const chunks = read(0, bytes.length);
      const first = chunks.next();
      const { stream } = await server.next(frameKind.data);
      server.greet();
      const frames: Buffer[] = [];
      for (let at = 0; at < bytes.length; at += 1 << 20) {
        frames.push(...dataFrames(stream, at, bytes.subarray(at, at + (1 << 20))));
      }
      let sent = 0;
      const sendWhatFits = () => {
        const most = firstWindowBytes + (server.granted.get(stream) ?? 0);
        while (frames[0] !== undefined && sent + frames[0].length - 9 <= most) {
          sent += frames[0].length - 9;
          server.send(frames[0]);
          frames.shift();
        }
      };
      // A server that keeps to the window, and asks whether the connection lives.
      const ping = frame(frameKind.ping, 0, 0, Buffer.from("are you?"));
      for (let turn = 0; turn < 5; turn++) {
        sendWhatFits();
        server.send(ping);
        assert.equal((await server.next(frameKind.ping)).payload.toString(), "are you?");
      }
      assert.ok(sent >= limits.windowBytes - 16_384, `${sent} bytes are all that was granted`);
      // The first block is in its reader's hands, and the last one is not full.
      assert.ok(sent <= limits.windowBytes + 2 * limits.chunkBytes, `${sent} bytes wait`);

      const serving = (async () => {
        for (;;) {
          sendWhatFits();
          if (frames.length === 0) return;
          await server.next(frameKind.windowUpdate);
        }
      })();
      let came = (await first).value?.bytes.length ?? 0;
      for await (const { bytes } of chunks) came += bytes.length;
      assert.equal(came, bytes.length);
      await serving;
    });

    it("does not stop another one on the same connection", async () => {
      const stuck = read(0, limits.windowBytes);
      const begun = stuck.next();
      const { stream } = await server.next(frameKind.data);
      server.greet();
      const zeros = Buffer.alloc(1_000_000);
      for (let at = 0; at < 8_000_000; at += zeros.length) {
        server.send(...dataFrames(stream, at, zeros));
      }
      await begun;
      const other = allOf(read(0, 3_000_000), 0);
      const asked = await server.next(frameKind.data);
      // The connection's window is granted again as bytes come, not as they are taken.
      while ((server.granted.get(0) ?? 0) < limits.windowBytes) {
        await server.next(frameKind.windowUpdate);
      }
      server.send(...part(asked.stream, 0, 3_000_000));
      assert.equal(await other, 3_000_000);
      await stuck.return(undefined);
    });
  });
});
