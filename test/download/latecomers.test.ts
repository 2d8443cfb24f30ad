/** Replicas whose claim comes after the verdict take part all the same, and are waited for. */

import assert from "node:assert/strict";
import type { Replica } from "../../src/ports.js";
import type { Receipt } from "../../src/receipt/receipt.js";
import type { Fault } from "../../src/schedule/faults.js";
import * as broken from "../support/broken-replica.js";
import { errorOf, honest, lineOf, pieceBytes, SmallDownload } from "./small-download.js";

describe("a replica whose claim comes late", () => {
  const late = async (make: (replica: Replica) => Replica): Promise<[SmallDownload, Receipt]> => {
    const world = new SmallDownload();
    const paced = () => broken.paced(honest(), world.clock, { rate: 200_000 });
    const C = broken.lateClaim(make(paced()), 1500, world.clock);
    return [world, await world.get({ A: paced(), B: paced(), C })];
  };

  it("joins when it claims the same", async () => {
    const [world, receipt] = await late((replica) => replica);
    world.assertPublished();
    assert.ok(world.events.some((each) => each.event === "joined" && each.replica === "C"));
    assert.equal(lineOf(receipt, "C").standing, "good");
    // Three pieces, of which the file's last one is smaller.
    assert.ok(lineOf(receipt, "C").deliveredBytes > 2 * pieceBytes);
  });

  it("does not when it claims something else", async () => {
    const [world, receipt] = await late((replica) => broken.lying(replica));
    world.assertPublished();
    assert.ok(world.events.every(({ event }) => event !== "joined"));
    assert.equal(lineOf(receipt, "C").deliveredBytes, 0);
  });
});

describe("when nobody else is left, a replica whose claim comes late", () => {
  const denied: Fault = { kind: "denied", detail: "no" };
  const world = () => {
    const made = new SmallDownload();
    const startedAt = made.clock.now();
    const get = (lateMs: number, C: Replica = honest()) => {
      const [A, B] = [broken.refusing(honest(), denied), broken.refusing(honest(), denied)];
      return made.get({ A, B, C: broken.lateClaim(C, lateMs, made.clock) });
    };
    return { made, get, passedMs: () => made.clock.now() - startedAt };
  };

  it("is waited for", async () => {
    const { made, get } = world();
    const receipt = await get(4500);
    made.assertPublished();
    assert.equal(lineOf(receipt, "C").deliveredBytes, receipt.size);
  });

  it("is waited for no longer than a survey would", async () => {
    const { made, get, passedMs } = world();
    await assert.rejects(get(60_000), errorOf("OutOfReplicasError", /no replica is left/));
    made.assertUnpublished();
    assert.ok(passedMs() > 4900 && passedMs() < 6000, `${passedMs()} ms passed`);
  });

  it("is waited for no longer once it claims something else", async () => {
    const { get, passedMs } = world();
    await assert.rejects(get(2000, broken.lying(honest())), errorOf("OutOfReplicasError"));
    assert.ok(passedMs() < 3000, `${passedMs()} ms passed`);
  });
});
