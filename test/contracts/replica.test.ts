/** Runs the replica contract on every implementation: memory, disk, and disk behind gRPC. */

import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { manifestCache } from "../../src/files/manifest-cache.js";
import { shareFolder } from "../../src/files/shared-folder.js";
import { Doors } from "../../src/grpc/doors.js";
import { connectReplica } from "../../src/grpc/replica-client.js";
import { listenReplica } from "../../src/grpc/replica-server.js";
import { LocalReplica } from "../../src/serve/local-replica.js";
import { Manifests } from "../../src/serve/manifests.js";
import { systemClock } from "../../src/system.js";
import { hashFile } from "../../src/threads/hash-file.js";
import type { Files } from "../support/memory-replica.js";
import { memoryReplica } from "../support/memory-replica.js";
import { type Wire, wires } from "../support/wires.js";
import { replicaContract } from "./replica.js";

async function openLocal(files: Files) {
  const folder = await mkdtemp(join(tmpdir(), "quorate-test-"));
  for (const [name, bytes] of Object.entries(files)) {
    await mkdir(dirname(join(folder, name)), { recursive: true });
    await writeFile(join(folder, name), bytes);
  }
  const shared = await shareFolder(folder, hashFile);
  const { signal } = new AbortController();
  const store = manifestCache(join(folder, ".cache"));
  const manifests = new Manifests({ store, clock: systemClock, signal });
  return {
    replica: new LocalReplica(shared, manifests, 64 * 1024),
    async close() {
      await shared.close();
      await rm(folder, { recursive: true });
    },
  };
}

async function openBehindWire(files: Files, wire: Wire, isExpress: boolean) {
  const local = await openLocal(files);
  const tls = wire.tls();
  const own = tls === undefined ? {} : { tls: { ...tls.server, clientCa: undefined } };
  const doors = new Doors(own);
  const listening = await listenReplica(local.replica, { host: "127.0.0.1", port: 0 }, { doors });
  const remote = connectReplica("127.0.0.1", listening.port, { tls: tls?.client, isExpress });
  return {
    replica: remote,
    async close() {
      remote.close();
      listening.kill();
      await local.close();
    },
  };
}

replicaContract("a replica in memory", async (files) => ({
  replica: memoryReplica(files),
  close: async () => {},
}));
replicaContract("a replica on this disk", openLocal);
for (const wire of wires) {
  replicaContract(`a replica behind gRPC ${wire.title}`, (files) =>
    openBehindWire(files, wire, false),
  );
  replicaContract(`a replica on an express connection ${wire.title}`, (files) =>
    openBehindWire(files, wire, true),
  );
}
