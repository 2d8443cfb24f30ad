import assert from "node:assert/strict";
import { limits } from "../../src/limits.js";
import { RateMeter } from "../../src/schedule/rate-meter.js";

/** A meter that took `bytes` each `everyMs`, from `from` until `until`. */
function fed(
  meter: RateMeter,
  flow: { bytes: number; everyMs: number; from: number; until: number },
) {
  meter.start(flow.from);
  for (let now = flow.from + flow.everyMs; now <= flow.until; now += flow.everyMs) {
    meter.add(flow.bytes, now);
  }
  return meter;
}
const steady = (from: number, until: number) => ({ bytes: 1000, everyMs: 10, from, until });

function isNear(rate: number | undefined, expected: number, share: number): void {
  assert.ok(rate !== undefined, "a rate is known");
  assert.ok(Math.abs(rate - expected) <= expected * share, `${rate}, not about ${expected}`);
}

describe("schedule/rate-meter", () => {
  it("nothing is known before 5 ms of flow", () => {
    const meter = new RateMeter();
    assert.equal(meter.rate(0), undefined);
    meter.start(0);
    assert.equal(meter.rate(0), undefined);
    meter.add(1000, 4);
    assert.equal(meter.rate(4), undefined);
    assert.equal(meter.recentRate(4), undefined);
    meter.add(1000, 6);
    isNear(meter.rate(6), 2_000_000 / 6, 0.01);
    isNear(meter.recentRate(6), 2_000_000 / 6, 0.01);
  });

  it("where time counts already, the first bytes count as well, and the time before them", () => {
    const meter = new RateMeter();
    meter.start(0);
    meter.start(500, 1000);
    isNear(meter.usualRate(500), 2000, 0.01);
  });

  it("after the first chunk, the rate is no more than a second one would make it now", () => {
    const meter = new RateMeter();
    meter.start(100, 1000);
    assert.equal(meter.rate(104), undefined);
    for (const [now, expected] of [
      [105, 200_000],
      [200, 10_000],
      [1100, 1000],
    ] as const) {
      isNear(meter.rate(now), expected, 0.01);
      isNear(meter.recentRate(now), expected, 0.01);
    }
    meter.add(1000, 1600);
    isNear(meter.rate(1600), 1000 / 1.5, 0.01);
  });

  it("a first chunk that was long on its way tells a slow replica at once", () => {
    const [slow, far] = [new RateMeter(), new RateMeter()];
    slow.start(660, 1000, 500);
    isNear(slow.rate(660), 2000, 0.01);
    isNear(slow.recentRate(660), 2000, 0.01);
    isNear(slow.rate(1160), 1000, 0.01);
    slow.add(3000, 1660);
    isNear(slow.rate(1660), 3000, 0.01);
    // What a busy server takes to begin says nothing of its rate.
    far.start(660, 1000, limits.slowFirstMs - 1);
    assert.equal(far.rate(660), undefined);
  });

  it("a steady flow has its rate", () => {
    for (const until of [100, 1000, 60_000]) {
      isNear(fed(new RateMeter(), steady(0, until)).rate(until), 100_000, 0.02);
    }
  });

  it("a change is followed within seconds", () => {
    const meter = fed(new RateMeter(), steady(0, 10_000));
    fed(meter, { bytes: 100, everyMs: 10, from: 10_000, until: 16_000 });
    isNear(meter.rate(16_000), 10_000, 0.2);
  });

  it("a hiccup of 100 ms is ignored", () => {
    const meter = fed(new RateMeter(), steady(0, 10_000));
    isNear(meter.rate(10_100), 100_000, 0.1);
  });

  it("what a replica delivers right now follows a collapse at once, and a burst too", () => {
    const meter = fed(new RateMeter(), steady(0, 10_000));
    fed(meter, { bytes: 10, everyMs: 10, from: 10_000, until: 10_260 });
    isNear(meter.recentRate(10_260), 1000, 0.1);
    fed(meter, { bytes: 5000, everyMs: 10, from: 10_260, until: 10_520 });
    isNear(meter.recentRate(10_520), 500_000, 0.1);
  });

  it("chunks that come seldom are averaged over several of them", () => {
    const meter = fed(new RateMeter(), { bytes: 100_000, everyMs: 500, from: 0, until: 10_000 });
    isNear(meter.recentRate(10_000), 200_000, 0.02);
    isNear(meter.recentRate(10_400), 200_000, 0.02);
    isNear(meter.recentRate(11_000), 133_000, 0.05);
  });

  it("silence lowers the rate while bytes are due", () => {
    const meter = fed(new RateMeter(), steady(0, 10_000));
    const rates = [10_000, 11_000, 12_000, 15_000].map((now) => meter.rate(now) ?? Number.NaN);
    for (const [index, rate] of rates.slice(1).entries())
      assert.ok(rate < (rates[index] ?? 0) * 0.6);
  });

  it("time in which nothing was asked for does not count", () => {
    const meter = fed(new RateMeter(), steady(0, 2000));
    meter.stop(2000);
    isNear(meter.rate(60_000), 100_000, 0.02);
    fed(meter, steady(60_000, 60_100));
    isNear(meter.rate(60_100), 100_000, 0.02);
  });

  it("a second start changes nothing", () => {
    const meter = new RateMeter();
    meter.start(0);
    meter.start(90);
    meter.add(10_000, 100);
    isNear(meter.rate(100), 100_000, 0.01);
  });

  it("a gap in which we stood still is taken out", () => {
    const meter = fed(new RateMeter(), steady(0, 2000));
    meter.shift(5000);
    isNear(meter.rate(7000), 100_000, 0.02);
  });

  it("a clock that goes back does no harm", () => {
    const meter = fed(new RateMeter(), steady(0, 2000));
    meter.add(0, 1900);
    isNear(meter.rate(1800), 100_000, 0.02);
  });
});
