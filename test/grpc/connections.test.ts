/** Connections that cost and give nothing are ended; those that work are left alone. */

import assert from "node:assert/strict";
import { once } from "node:events";
import {
  type ClientHttp2Session,
  type ClientHttp2Stream,
  connect as connectHttp2,
  constants,
} from "node:http2";
import { connect as connectTcp } from "node:net";
import type { ConnectionBounds } from "../../src/grpc/connections.js";
import { listenReplica } from "../../src/grpc/replica-server.js";
import { limits } from "../../src/limits.js";
import type { ListeningServer } from "../../src/server-ports.js";
import { endlessReads } from "../serve/endless.js";
import { requestOf } from "../support/raw-grpc.js";

const hasty = { ...limits, readerStallMs: 600, requestMs: 400, firstRequestMs: 500 };

describe("connections of a virtual server", function () {
  this.timeout(60_000);
  const servers: ListeningServer[] = [];
  const sessions: ClientHttp2Session[] = [];
  afterEach(() => {
    for (const session of sessions.splice(0)) session.destroy();
    for (const server of servers.splice(0)) server.kill();
  });

  async function listen(bounds: Partial<ConnectionBounds>, { isEager = true } = {}) {
    const { replica, ended } = endlessReads({ isEager });
    const at = { host: "127.0.0.1", port: 0 };
    const server = await listenReplica(replica, at, { bounds: { ...hasty, ...bounds } });
    servers.push(server);
    return { port: server.port, ended };
  }

  function connect(port: number): ClientHttp2Session {
    const session = connectHttp2(`http://127.0.0.1:${port}`);
    session.on("error", () => {});
    sessions.push(session);
    return session;
  }

  function ask(session: ClientHttp2Session, method: string, body?: Buffer): ClientHttp2Stream {
    const stream = session.request({
      ":method": "POST",
      ":path": `/quorate.v1.ReplicaService/${method}`,
      "content-type": "application/grpc",
      te: "trailers",
    });
    stream.on("error", () => {});
    if (body !== undefined) stream.end(body);
    return stream;
  }

  it("a reader that takes nothing is reset, and its read ends", async () => {
    const { port, ended } = await listen({});
    const stream = ask(connect(port), "ReadRange", requestOf({ length: 1 }));
    await once(stream, "response");
    // Nobody listens for data: the window fills, and that is all.
    stream.pause();
    await once(stream, "close");
    assert.equal(stream.rstCode, constants.NGHTTP2_CANCEL);
    await ended.reaches(1);
  });

  it("a reader that waits for us, because there is nothing to send, is not", async () => {
    const { port } = await listen({}, { isEager: false });
    const session = connect(port);
    const stream = ask(session, "ReadRange", requestOf({ length: 1 }));
    stream.resume();
    await once(stream, "response");
    // Another one that does stall is reset, twice: time enough for the first to have been, too.
    for (let time = 0; time < 2; time++) {
      const silent = ask(session, "GetSize");
      await once(silent, "close");
    }
    assert.equal(stream.closed, false);
  });

  it("a request that does not come is not waited for", async () => {
    const { port } = await listen({});
    const stream = ask(connect(port), "GetSize");
    await once(stream, "close");
    assert.equal(stream.rstCode, constants.NGHTTP2_CANCEL);
  });

  it("a connection that asks for nothing is closed, whatever it speaks", async () => {
    const { port } = await listen({});
    const silent = connectTcp(port, "127.0.0.1");
    silent.on("error", () => {});
    silent.resume();
    await Promise.all([once(silent, "close"), once(connect(port), "close")]);
  });

  it("one address gets so many connections", async () => {
    const { port } = await listen({ connectionsPerClient: 2, firstRequestMs: 60_000 });
    const two = [connect(port), connect(port)];
    await Promise.all(two.map((session) => once(session, "remoteSettings")));
    await once(connect(port), "close");
    two[0]?.destroy();
    // Until the server has seen that it left, there is no room for another.
    for (;;) {
      const again = connect(port);
      const came = once(again, "remoteSettings").then(() => true);
      if (await Promise.race([came, once(again, "close").then(() => false)])) break;
    }
    assert.equal(two[1]?.closed, false);
  });

  it("the server gets so many connections", async () => {
    const { port } = await listen({ connections: 1, firstRequestMs: 60_000 });
    await once(connect(port), "remoteSettings");
    await once(connect(port), "close");
  });
});
