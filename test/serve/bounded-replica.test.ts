/** What is in flight stays within bounds, and whoever is past them is told to come back. */

import assert from "node:assert/strict";
import { ReplicaFault } from "../../src/ports.js";
import { boundedReplica, InFlight } from "../../src/serve/bounded-replica.js";
import { endlessReads } from "./endless.js";
import { asked } from "./reading.js";

const busy = (error: unknown) =>
  error instanceof ReplicaFault && error.fault.kind === "busy" && error.fault.retryMs === 1000;

function reader(client: string) {
  const end = new AbortController();
  const call = { signal: end.signal, deadlineMs: 10_000, client };
  return { end: () => end.abort(new Error("enough")), call };
}

describe("a bounded replica", () => {
  it("takes so many reads in all, and so many of one client", async () => {
    const inFlight = new InFlight({ reads: 3, readsPerClient: 2 });
    const { replica } = endlessReads();
    // Two virtual servers, counted together.
    const servers = [boundedReplica(replica, inFlight), boundedReplica(replica, inFlight)];
    const begin = async (client: string, server = servers[0]) => {
      const { call, end } = reader(client);
      const chunks = server?.read(asked(0, 1), call)[Symbol.asyncIterator]();
      await chunks?.next();
      return async () => {
        end();
        await assert.rejects(async () => chunks?.next(), /enough/);
      };
    };
    const first = await begin("10.0.0.1");
    await begin("10.0.0.1", servers[1]);
    await assert.rejects(begin("10.0.0.1", servers[1]), busy, "a third of one client");
    await begin("10.0.0.2");
    await assert.rejects(begin("10.0.0.3"), busy, "a fourth in all");
    assert.equal(inFlight.reads, 3);
    await first();
    assert.equal(inFlight.reads, 2);
    await begin("10.0.0.1");
    await assert.rejects(begin("10.0.0.1"), busy);
  });

  it("a read that was refused takes no room", async () => {
    const inFlight = new InFlight({ reads: 0, readsPerClient: 9 });
    const bounded = boundedReplica(endlessReads().replica, inFlight);
    const { call } = reader("10.0.0.1");
    for (let time = 0; time < 3; time++) {
      await assert.rejects(
        async () => bounded.read(asked(0, 1), call)[Symbol.asyncIterator]().next(),
        busy,
      );
    }
    assert.equal(inFlight.reads, 0);
  });

  it("makes few lists of files at once", async () => {
    const bounded = boundedReplica(
      { ...endlessReads().replica, list: () => new Promise(() => {}) },
      new InFlight({ reads: 1, readsPerClient: 1 }),
    );
    const { call } = reader("10.0.0.1");
    const list = () => bounded.list({ pageSize: 1, pageToken: "", prefix: "" }, call);
    for (let time = 0; time < 8; time++) void list();
    await assert.rejects(list(), busy);
  });
});
