/** Replicas as they are named: each server is connected to, and votes, once. */

import assert from "node:assert/strict";
import { type Address, withReplicas } from "../../src/api/replicas.js";
import type { DownloadEvent } from "../../src/download/progress.js";
import { UsageError } from "../../src/errors.js";

/** The names under which replicas vote, and the events that tell of the others. */
async function voters(addresses: readonly Address[]) {
  const events: DownloadEvent[] = [];
  const names = await withReplicas(
    addresses,
    async (replicas) => [...replicas.keys()],
    (event) => events.push(event),
  );
  return { names, events };
}

const at = (host: string, port = 9): Address => ({ host, port });

describe("replicas that are named", () => {
  it("vote under the names that they were given", async () => {
    const { names, events } = await voters([at("127.0.0.1"), at("::1"), at("127.0.0.1", 10)]);
    assert.deepEqual(names, ["127.0.0.1:9", "[::1]:9", "127.0.0.1:10"]);
    assert.deepEqual(events, []);
  });

  it("twice, have one vote", async () => {
    const { names, events } = await voters([at("::1"), at("::1")]);
    assert.deepEqual([names, events], [["[::1]:9"], []]);
  });

  it("under two names of one address, have one vote, and that is told", async () => {
    const addresses = [at("localhost"), at("LOCALHOST"), at("127.0.0.1"), at("::1")];
    const { names, events } = await voters(addresses);
    // Which of its two addresses the name leads to is the machine's to say.
    const other = names.find((name) => name !== "localhost:9");
    assert.equal(names.length, 2);
    const replica = other === "[::1]:9" ? "127.0.0.1:9" : "[::1]:9";
    assert.deepEqual(events, [{ event: "merged", replica, into: "localhost:9" }]);
  });

  it("at a port that is none are refused before anybody is asked", async () => {
    for (const port of [0, -1, 65_536, 1.5, Number.NaN]) {
      await assert.rejects(voters([at("127.0.0.1"), at("127.0.0.1", port)]), UsageError);
    }
  });
});
