/** Replicas that were silent at the vote are asked again while the transfer runs. */

import assert from "node:assert/strict";
import { type Replica, ReplicaFault } from "../../src/ports.js";
import * as broken from "../support/broken-replica.js";
import { content, honest, pieceBytes, SmallDownload } from "./small-download.js";

/** Refuses every claim until `backAt`, in the world's time. */
function away(replica: Replica, world: SmallDownload, backAt: number): Replica {
  return broken.altered(replica, {
    claim: async (name, call) => {
      if (world.clock.now() >= backAt) return replica.claim(name, call);
      throw new ReplicaFault({ kind: "unreachable", detail: "connection refused" });
    },
  });
}

describe("late votes", () => {
  /** A and B are slow enough to take half a minute; C refuses connections for a while. */
  async function run(backAfterMs: number, make: (replica: Replica) => Replica = (same) => same) {
    const world = new SmallDownload();
    const backAt = world.clock.now() + backAfterMs;
    const paced = () => broken.paced(honest(content, 8 * 1024), world.clock, { rate: 30_000 });
    const C = away(make(paced()), world, backAt);
    const receipt = await world.get({ A: paced(), B: paced(), C });
    world.assertPublished();
    const joined = world.events.filter(({ event }) => event === "joined").length;
    return { joined, line: receipt.replicas.find(({ address }) => address === "C") };
  }

  it("a replica that was down at the vote joins once it is back", async () => {
    const { joined, line } = await run(3000);
    assert.equal(joined, 1);
    assert.equal(line?.standing, "good");
    assert.ok((line?.deliveredBytes ?? 0) >= pieceBytes);
    assert.notEqual(line?.claim, undefined);
  });

  it("one that never comes back stays silent", async () => {
    const { joined, line } = await run(1e9);
    assert.deepEqual([joined, line?.standing], [0, "silent"]);
  });

  it("one that comes back with another file does not join", async () => {
    const { joined, line } = await run(3000, (replica) => broken.lying(replica));
    assert.deepEqual([joined, line?.deliveredBytes], [0, 0]);
  });
});
