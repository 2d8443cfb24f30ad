/** Downloads into real folders: what those of one process share. */

import assert from "node:assert/strict";
import { readdir } from "node:fs/promises";
import { download } from "../../src/api/get.js";
import { ReadMemory } from "../../src/grpc/express/read-memory.js";
import { listenReplica } from "../../src/grpc/replica-server.js";
import { systemReadMemory } from "../../src/system.js";
import { Doorman } from "../support/doorman.js";
import { memoryReplica } from "../support/memory-replica.js";
import { refusingOn } from "../support/refusing-disk.js";
import { scratchFolder } from "../support/scratch-folder.js";

describe("downloads in one process", () => {
  const at = scratchFolder();

  it("take the connections of those before them", async () => {
    const files = { a: Buffer.from("a"), b: Buffer.from("b") };
    const server = await listenReplica(memoryReplica(files), { host: "127.0.0.1", port: 0 });
    const doorman = new Doorman(server.port);
    const replicas = [{ host: "127.0.0.1", port: await doorman.listen() }];
    try {
      for (const name of ["a", "b"]) await download({ replicas, name, output: at() });
      assert.equal(doorman.came, 1);
    } finally {
      server.kill();
      doorman.server.close();
    }
  });

  it("read into the same memory from all replicas", async () => {
    const listen = () =>
      listenReplica(memoryReplica({ c: Buffer.from("c") }), { host: "127.0.0.1", port: 0 });
    const servers = [await listen(), await listen()];
    const joined: ReadMemory[] = [];
    const { join } = ReadMemory.prototype;
    ReadMemory.prototype.join = function (this: ReadMemory) {
      joined.push(this);
      join.call(this);
    };
    try {
      const replicas = servers.map(({ port }) => ({ host: "127.0.0.1", port }));
      await download({ replicas, name: "c", output: at() });
      assert.equal(joined.length, 2);
      assert.ok(joined.every((memory) => memory === systemReadMemory));
    } finally {
      ReadMemory.prototype.join = join;
      for (const server of servers) server.kill();
    }
  });

  it("share the syncs of their folder when they run at once", async () => {
    const names = ["a", "b", "c", "d"];
    const files = Object.fromEntries(names.map((name) => [name, Buffer.from(name)]));
    const server = await listenReplica(memoryReplica(files), { host: "127.0.0.1", port: 0 });
    const replicas = [{ host: "127.0.0.1", port: server.port }];
    let syncs = 0;
    try {
      await refusingOn(
        "sync",
        "EIO",
        () => Promise.all(names.map((name) => download({ replicas, name, output: at() }))),
        async (handle) => {
          if (!(await handle.stat()).isDirectory()) return false;
          // The first one runs until all of them have their names, and want them durable.
          if (++syncs === 1) while ((await readdir(at())).join() !== names.join()) {}
          return false;
        },
      );
      assert.ok(syncs < names.length, `${syncs} syncs`);
    } finally {
      server.kill();
    }
  });
});
