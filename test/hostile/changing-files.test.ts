/** Files that change while they are read: never mixed bytes, and then the new manifest. */

import assert from "node:assert/strict";
import { appendFile, open, rename, rm, truncate, writeFile } from "node:fs/promises";
import { manifestCache } from "../../src/files/manifest-cache.js";
import { shareFolder } from "../../src/files/shared-folder.js";
import { connectReplica } from "../../src/grpc/replica-client.js";
import { listenReplica } from "../../src/grpc/replica-server.js";
import { type Call, type Replica, ReplicaFault } from "../../src/ports.js";
import { LocalReplica } from "../../src/serve/local-replica.js";
import { Manifests } from "../../src/serve/manifests.js";
import { systemClock } from "../../src/system.js";
import { hashFile } from "../../src/threads/hash-file.js";
import { madeUp } from "../support/made-up.js";
import { manifestOfBytes } from "../support/memory-replica.js";
import { scratchFolder } from "../support/scratch-folder.js";

const MiB = 1024 * 1024;
// Larger than all that may be under way between two processes: windows, sockets, chunks.
const before = madeUp(64 * MiB);
const after = Buffer.from(before.map((byte) => byte ^ 255));

type Change = readonly [
  what: string,
  change: (path: string) => Promise<unknown>,
  then: Uint8Array | undefined,
];

const changes: readonly Change[] = [
  [
    "replaced by rename",
    async (path) => {
      await writeFile(`${path}.new`, after);
      await rename(`${path}.new`, path);
    },
    after,
  ],
  [
    "rewritten in place",
    async (path) => {
      await using file = await open(path, "r+");
      await file.write(after, 0, after.length, 0);
    },
    after,
  ],
  ["truncated", (path) => truncate(path, 100), before.subarray(0, 100)],
  ["grown", (path) => appendFile(path, "x"), Buffer.concat([before, Buffer.from("x")])],
  ["deleted", (path) => rm(path), undefined],
];

const call = (): Call => ({ signal: new AbortController().signal, deadlineMs: 60_000 });

/** The claim, however long it is hashed. */
async function claimed(replica: Replica) {
  for (;;) {
    try {
      return (await replica.claim("a.bin", call())).claim;
    } catch (error) {
      if (!(error instanceof ReplicaFault) || error.fault.kind !== "hashing") throw error;
    }
  }
}

describe("a file that changes while it is read", function () {
  this.timeout(120_000);
  const at = scratchFolder();

  for (const [what, change, then] of changes) {
    it(`${what}: no byte of the new one is taken for the old one's`, async () => {
      await writeFile(at("a.bin"), before);
      const shared = await shareFolder(at(), hashFile);
      const end = new AbortController();
      const store = manifestCache(at(".cache"));
      const local = new LocalReplica(
        shared,
        new Manifests({ store, clock: systemClock, signal: end.signal }),
      );
      const listening = await listenReplica(local, { host: "127.0.0.1", port: 0 });
      const remote = connectReplica("127.0.0.1", listening.port);
      try {
        const { digest: ifDigest, size } = await claimed(remote);
        const request = { name: "a.bin", range: { start: 0, end: size }, ifDigest };
        let offset = 0;
        let ended = "whole";
        try {
          for await (const chunk of remote.read(request, call())) {
            if (offset === 0) await change(at("a.bin"));
            const expected = before.subarray(offset, offset + chunk.bytes.length);
            assert.ok(Buffer.from(chunk.bytes).equals(expected), `bytes from ${offset} on`);
            offset += chunk.bytes.length;
          }
        } catch (error) {
          if (!(error instanceof ReplicaFault)) throw error;
          ended = error.fault.kind;
        }
        assert.equal(ended, "changed", `${offset} bytes came`);
        if (then === undefined) await assert.rejects(claimed(remote), ReplicaFault);
        else assert.equal((await claimed(remote)).digest, manifestOfBytes(then).digest);
      } finally {
        remote.close();
        listening.kill();
        end.abort();
        await shared.close();
      }
    });
  }
});
