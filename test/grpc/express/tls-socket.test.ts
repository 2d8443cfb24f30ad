/** A socket over TLS says nothing to a server that is not who it should be. */

import assert from "node:assert/strict";
import { once } from "node:events";
import type { AddressInfo } from "node:net";
import { createServer, type TlsOptions } from "node:tls";
import { connectTls, isLeftToGrpc } from "../../../src/grpc/express/tls-socket.js";
import { opensslProblem } from "../../support/authority.js";
import { type WireTls, wires } from "../../support/wires.js";

describe(`a socket over TLS${opensslProblem()}`, () => {
  let tls: WireTls;
  before(function () {
    const made = wires.at(-1)?.tls();
    if (made === undefined) this.skip();
    tls = made;
  });

  /** What a server hears of `hello`. */
  async function heard(options: TlsOptions, client = tls.client): Promise<string> {
    const { cert, key } = tls.server;
    const server = createServer({ cert, key, ...options }).listen(0, "127.0.0.1");
    await once(server, "listening");
    let text = "";
    const ended = new Promise<void>((resolve) => {
      server.on("tlsClientError", () => resolve());
      server.on("secureConnection", (socket) => {
        socket.on("error", () => {});
        socket.on("close", () => resolve());
        socket.on("data", (bytes) => {
          text += bytes;
          socket.end();
        });
      });
    });
    const { port } = server.address() as AddressInfo;
    const onread = { buffer: Buffer.alloc(100), callback: () => true };
    const socket = connectTls({ host: "127.0.0.1", port, tls: client }, onread);
    socket.on("error", () => {});
    socket.on("end", () => socket.destroy());
    socket.write("hello");
    await ended;
    socket.destroy();
    server.close();
    return text;
  }

  const ALPNProtocols = ["h2"];
  it("speaks to one that it trusts, by its name, and that speaks HTTP/2", async () => {
    assert.equal(await heard({ ALPNProtocols }), "hello");
    const named = { ...tls.client, serverName: "localhost" };
    assert.equal(await heard({ ALPNProtocols }, named), "hello");
  });
  it("says nothing to one that speaks something else", async () => {
    assert.equal(await heard({}), "");
  });
  it("says nothing to one whose authority it does not trust", async () => {
    assert.equal(await heard({ ALPNProtocols }, { ...tls.client, ca: undefined }), "");
  });
  it("says nothing to one with another name", async () => {
    assert.equal(await heard({ ALPNProtocols }, { ...tls.client, serverName: "elsewhere" }), "");
  });

  describe("is left to grpc-js where that is told", () => {
    const { env } = process;
    afterEach(() => {
      process.env = env;
    });
    const isLeft = (variables: Record<string, string>, ca: Buffer | undefined) => {
      process.env = variables;
      return isLeftToGrpc({ ...tls.client, ca });
    };
    it("whom to trust, and nobody else says so", () => {
      const roots = { GRPC_DEFAULT_SSL_ROOTS_FILE_PATH: "roots.pem" };
      assert.equal(isLeft(roots, undefined), true);
      assert.equal(isLeft(roots, tls.client.ca), false);
      assert.equal(isLeft({}, undefined), false);
    });
    it("how to make sure", () => {
      assert.equal(isLeft({ GRPC_SSL_CIPHER_SUITES: "AES256-SHA" }, tls.client.ca), true);
      assert.equal(isLeft({}, tls.client.ca), false);
    });
  });
});
