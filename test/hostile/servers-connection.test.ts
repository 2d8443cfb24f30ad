/** Servers that are hostile on the connection. */

import assert from "node:assert/strict";
import { amongServers } from "./among-servers.js";
import { listenHostile, listenRaw, type Vice } from "./hostile-server.js";

amongServers("on the connection", ({ known, wire, downloadBeside }) => {
  it("one that takes the connection and says nothing", async () => {
    const { line } = await downloadBeside(await listenRaw(() => {}));
    assert.equal(line.standing, "silent");
  });

  it("one that answers with garbage", async () => {
    const pour = (bytes: Buffer) => listenRaw((socket) => socket.write(bytes));
    const { line } = await downloadBeside(await pour(Buffer.alloc(1 << 20, 0x41)));
    assert.equal(line.standing, "silent");
  });

  it("one that hangs up at once", async () => {
    const { line } = await downloadBeside(await listenRaw((socket) => socket.destroy()));
    assert.equal(line.standing, "silent");
  });

  it("one that floods with pings and settings", async () => {
    const session: NonNullable<Vice["session"]> = (session) => {
      const timer = setInterval(() => {
        for (let i = 0; i < 100 && !session.destroyed; i++) session.ping(() => {});
        if (!session.destroyed) session.settings({ initialWindowSize: 65_535 });
      }, 5);
      session.on("close", () => clearInterval(timer));
    };
    await downloadBeside(await listenHostile(known, { session }, wire.tls()?.server));
  });
});
