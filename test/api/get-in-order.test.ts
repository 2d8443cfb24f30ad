/** A file in order from real servers, some of which give no pieces. */

import assert from "node:assert/strict";
import { downloadInOrder } from "../../src/api/get-in-order.js";
import { UsageError } from "../../src/errors.js";
import { listenReplica } from "../../src/grpc/replica-server.js";
import type { Replica } from "../../src/ports.js";
import type { ListeningServer } from "../../src/server-ports.js";
import { withoutPieces } from "../support/broken-replica.js";
import { madeUp } from "../support/made-up.js";
import { memoryReplica } from "../support/memory-replica.js";

describe("a download in order", function () {
  this.timeout(60_000);
  const name = "file.bin";
  const content = madeUp(300_000);
  const honest = memoryReplica({ [name]: content });
  const open: ListeningServer[] = [];
  afterEach(() => {
    for (const server of open.splice(0)) server.kill();
  });

  async function get(replicas: readonly Replica[], force: boolean): Promise<Buffer> {
    for (const replica of replicas) {
      open.push(await listenReplica(replica, { host: "127.0.0.1", port: 0 }));
    }
    const addresses = open.map(({ port }) => ({ host: "127.0.0.1", port }));
    const taken: Buffer[] = [];
    await downloadInOrder({ replicas: addresses, name, force }, async (bytes) => {
      taken.push(Buffer.from(bytes));
    });
    return Buffer.concat(taken);
  }

  it("is every byte", async () => {
    assert.ok(content.equals(await get([honest, withoutPieces(honest)], false)));
  });

  it("is refused when nobody gives pieces, unless forced", async () => {
    const bare = [withoutPieces(honest), withoutPieces(honest)];
    await assert.rejects(get(bare, false), (error) => {
      return error instanceof UsageError && /nothing could be verified before/.test(error.message);
    });
    assert.ok(content.equals(await get([], true)));
  });
});
