/** Somebody between a client and a server who sees its connections. */

import assert from "node:assert/strict";
import { once } from "node:events";
import { type AddressInfo, connect, createServer, type Server, type Socket } from "node:net";

/** Stands before a server on this machine, and counts connections. */
export class Doorman {
  readonly server: Server;
  readonly open = new Set<Socket>();
  came = 0;

  constructor(port: number) {
    this.server = createServer((socket) => {
      this.came++;
      this.open.add(socket);
      const inner = connect(port, "127.0.0.1");
      socket.pipe(inner).pipe(socket);
      socket.on("error", () => inner.destroy());
      inner.on("error", () => {});
      // Nobody reads from it any more, so nobody would hear of its end.
      inner.on("close", () => socket.destroy());
      socket.on("close", () => {
        this.open.delete(socket);
        inner.destroy();
        this.server.emit("left");
      });
    });
  }

  async listen(): Promise<number> {
    this.server.listen(0, "127.0.0.1");
    await once(this.server, "listening");
    const address = this.server.address();
    assert.ok(address !== null && typeof address === "object");
    return (address satisfies AddressInfo).port;
  }
}
