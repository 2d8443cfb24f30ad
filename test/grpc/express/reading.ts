/** Reads of a file that a raw server has, over an express connection; and its bytes, in frames. */

import assert from "node:assert/strict";
import { ExpressConnection } from "../../../src/grpc/express/express-connection.js";
import { headerBlock } from "../../../src/grpc/express/headers.js";
import { ReadMemory } from "../../../src/grpc/express/read-memory.js";
import type { Chunk } from "../../../src/ports.js";
import type { Range } from "../../../src/schedule/range.js";
import { madeUp } from "../../support/made-up.js";
import type { Wire } from "../../support/wires.js";
import { dataFrames, RawServer } from "./raw-server.js";

const content = madeUp(3_000_000);
export const requestBytes = 1000;
export const onLastHeaders = () => {};
export const idle = new AbortController().signal;

/** Gives each test of a suite a server to play, and a connection to it; both end with the test. */
export function eachWith(
  wire: Wire,
  use: (server: RawServer, connection: ExpressConnection) => void,
): void {
  const open: { close(): void }[] = [];
  beforeEach(async () => {
    const tls = wire.tls();
    const server = new RawServer(tls?.server);
    const port = await server.listen();
    const at = { host: "127.0.0.1", port, tls: tls?.client };
    const connection = new ExpressConnection(at, new ReadMemory());
    open.push(connection, server);
    use(server, connection);
  });
  afterEach(() => {
    for (const one of open.splice(0)) one.close();
  });
}

export function readOn(
  connection: ExpressConnection,
  range: Range,
  signal = idle,
  onLost?: (bytes: number) => void,
): AsyncGenerator<Chunk> {
  const message = Buffer.alloc(requestBytes);
  const request = { headers: headerBlock([[":method", "POST"]]), message, onLastHeaders };
  return connection.read({ ...request, range, onLost }, signal);
}

/** All that comes, which must be the file's bytes from the offset on. */
export async function allOf(chunks: AsyncGenerator<Chunk>, start: number): Promise<number> {
  let offset = start;
  for await (const chunk of chunks) {
    assert.equal(chunk.offset, offset);
    offset += chunk.bytes.length;
    assert.equal(Buffer.compare(chunk.bytes, content.subarray(chunk.offset, offset)), 0);
  }
  return offset;
}

/** These bytes of the file, in one message. */
export const part = (stream: number, start: number, end: number) =>
  dataFrames(stream, start, content.subarray(start, end));
