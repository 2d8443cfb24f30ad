/** Downloads into real folders, several at once in one process. */

import assert from "node:assert/strict";
import { readdir } from "node:fs/promises";
import { download } from "../../src/api/get.js";
import { listenReplica } from "../../src/grpc/replica-server.js";
import { memoryReplica } from "../support/memory-replica.js";
import { refusingOn } from "../support/refusing.js";
import { scratchFolder } from "../support/scratch-folder.js";

describe("downloads at once into one folder", () => {
  const at = scratchFolder();

  it("share the syncs of that folder", async () => {
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
