import assert from "node:assert/strict";
import { TokenBucket } from "../../src/schedule/token-bucket.js";
import { Seeded, seed } from "../support/seeded.js";

const rate = 1000;
const burstMs = 50;

describe("schedule/token-bucket", () => {
  it("the first bytes wait for their share, less the burst", () => {
    assert.equal(new TokenBucket(rate, burstMs).take(1000, 0), 950);
    assert.equal(new TokenBucket(rate, 0).take(1000, 0), 1000);
    assert.equal(new TokenBucket(rate, burstMs).take(10, 0), 0);
  });

  it("callers queue in the order in which they ask", () => {
    const bucket = new TokenBucket(rate, 0);
    assert.deepEqual(
      [bucket.take(100, 0), bucket.take(100, 0), bucket.take(100, 50)],
      [100, 200, 250],
    );
  });

  it("no window of time lets more through than the rate and one burst", () => {
    for (let round = 0; round < 200; round++) {
      const random = new Seeded(seed + round);
      const bucket = new TokenBucket(rate, burstMs);
      const passed: { readonly at: number; readonly bytes: number }[] = [];
      let now = 0;
      for (let call = 0; call < 100; call++) {
        now += random.below(3) === 0 ? random.below(500) : 0;
        const bytes = 1 + random.below(100);
        passed.push({ at: now + bucket.take(bytes, now), bytes });
      }
      for (const [index, first] of passed.entries()) {
        let sum = 0;
        for (const { at, bytes } of passed.slice(index)) {
          sum += bytes;
          const allowed = ((at - first.at + burstMs) * rate) / 1000 + first.bytes;
          assert.ok(sum <= allowed + 1e-6, `SEED=${(seed + round) >>> 0}: ${sum} > ${allowed}`);
        }
      }
    }
  });

  it("a caller who is always there gets the rate on average, though its timers are late", () => {
    const random = new Seeded(seed);
    const bucket = new TokenBucket(rate, burstMs);
    let now = 0;
    let bytes = 0;
    while (now < 60_000) {
      bytes += 40;
      const waitMs = bucket.take(40, now);
      now += waitMs + (waitMs > 0 ? random.below(burstMs / 2) : 0);
    }
    const average = (bytes * 1000) / now;
    assert.ok(Math.abs(average - rate) < rate * 0.01, `SEED=${seed}: ${average} bytes a second`);
  });

  it("unused time is not saved up beyond the burst", () => {
    const bucket = new TokenBucket(rate, burstMs);
    bucket.take(10, 0);
    assert.equal(bucket.take(1000, 3_600_000), 1000 - burstMs);
  });
});
