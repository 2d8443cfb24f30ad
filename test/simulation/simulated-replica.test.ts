import assert from "node:assert/strict";
import { runQuorate } from "../../bench/run-quorate.js";
import { steady } from "./shapes.js";

const megabytes = 1e6;

describe("simulation/simulated-replica", () => {
  it("two links in a row are one pipe: the narrower sets the pace", async () => {
    const size = 8 * megabytes;
    const replicas = [{ rateAt: steady(45), latencyMs: 10 }];
    for (const [cap, narrower] of [
      [50, 45],
      [45, 45],
      [20, 20],
    ] as const) {
      const { seconds } = await runQuorate({ name: "", size, replicas, cap, aim: 1 });
      const least = 0.01 + size / (narrower * megabytes);
      assert.ok(seconds >= least && seconds < 1.02 * least, `cap ${cap}: ${seconds} of ${least}`);
    }
  });
});
