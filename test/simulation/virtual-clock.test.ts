import assert from "node:assert/strict";
import { VirtualClock } from "../support/virtual-clock.js";

describe("simulation/virtual-clock", () => {
  it("whoever sleeps until a time gets there, however little is left", async () => {
    const clock = new VirtualClock();
    await clock.sleep(1027.547967479672);
    // Half of what tells two such times apart: added, it is lost.
    const before = clock.now();
    await clock.sleep(1.1368683772161603e-13);
    assert.ok(clock.now() > before);
    await clock.sleep(0);
    await clock.sleep(1);
    assert.ok(Math.abs(clock.now() - before - 1) < 1e-6);
  });
});
