/** What a server may try on an express connection, and what it is worth: the connection. */

import assert from "node:assert/strict";
import type { ExpressConnection } from "../../../src/grpc/express/express-connection.js";
import { frame, frameKind } from "../../../src/grpc/express/frames.js";
import { limits } from "../../../src/limits.js";
import { overEachWire } from "../../support/wires.js";
import { dataFrames, headers, type RawServer } from "./raw-server.js";
import { allOf, eachWith, part, readOn } from "./reading.js";

overEachWire("an express connection is ended by a server that", (wire) => {
  let server: RawServer;
  let connection: ExpressConnection;

  eachWith(wire, (playedServer, connected) => {
    [server, connection] = [playedServer, connected];
  });

  const read = (start: number, end: number, signal?: AbortSignal) =>
    readOn(connection, { start, end }, signal);

  /** It is asked for a megabyte, and gave 40 bytes of it. */
  async function afterForty(...frames: readonly Buffer[]): Promise<void> {
    const reading = allOf(read(0, 1_000_000), 0);
    const { stream } = await server.next(frameKind.data);
    server.greet();
    server.send(...part(stream, 0, 40), ...frames);
    await server.left();
    assert.equal(await reading, 40);
    assert.ok(connection.isSpent);
  }
  const ping = frame(frameKind.ping, 0, 0, Buffer.alloc(8));

  it("sends another message than is due", () => afterForty(...part(1, 41, 50)));
  it("sends garbage", () => afterForty(Buffer.alloc(100, 0xff)));
  it("sends data of a stream that nobody asked for", () => afterForty(...part(7, 0, 9)));
  it("sends data after the end of the stream", async () => {
    const reading = allOf(read(0, 100), 0);
    await server.next(frameKind.data);
    server.greet();
    server.send(...part(1, 0, 40), headers(1, 5), ...part(1, 40, 100));
    assert.equal(await reading, 40);
    await server.left();
  });
  it("floods with pings", () => afterForty(...Array.from({ length: 1100 }, () => ping)));
  it("floods with pings between data, and takes no answer", async function () {
    // Until the buffers of both kernels are full.
    this.timeout(60_000);
    const first = read(0, 1_000_000).next();
    const { stream } = await server.next(frameKind.data);
    server.greet();
    server.pause();
    server.send(...part(stream, 0, 1_000_000).slice(0, 1));
    const byte = frame(frameKind.data, 0, stream, Buffer.from([7]));
    const pairs = Array.from({ length: 5000 }, () => [byte, ping]).flat();
    for (let turn = 0; turn < 190 && !connection.isSpent; turn++) await server.sent(...pairs);
    assert.ok(connection.isSpent);
    await first;
  });
  it("sends more than the window of a stream", async () => {
    const chunks = read(0, 2 * limits.windowBytes);
    const first = chunks.next();
    const { stream } = await server.next(frameKind.data);
    server.greet();
    const zeros = Buffer.alloc(1 << 20);
    for (let at = 0; at <= limits.windowBytes && !server.isLeft; at += zeros.length) {
      server.send(...dataFrames(stream, at, zeros));
    }
    await first;
    await server.left();
    assert.ok(connection.isSpent);
  });
  it("goes on sending, past the window, for a read that was left", async () => {
    const chunks = read(0, 3 * limits.windowBytes);
    const first = chunks.next();
    const { stream } = await server.next(frameKind.data);
    server.greet();
    server.send(...part(stream, 0, 40));
    await first;
    await chunks.return(undefined);
    const zeros = Buffer.alloc(1 << 20);
    for (let at = 40; at <= 2 * limits.windowBytes && !server.isLeft; at += zeros.length) {
      await server.sent(...dataFrames(stream, at, zeros));
    }
    await server.left();
  });
});
