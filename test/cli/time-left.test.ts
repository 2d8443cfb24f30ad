import assert from "node:assert/strict";
import { timeLeft } from "../../src/cli/time-left.js";

const totalBytes = 1_000_000;

describe("the time that is left", () => {
  it("goes by the rate of the moment while nothing else is known", () => {
    const left = timeLeft();
    assert.equal(left({ doneBytes: 0, totalBytes, rate: 100_000 }, 0), 10);
    assert.equal(left({ doneBytes: 500_000, totalBytes, rate: 100_000 }, 200), 5);
  });

  it("is hardly moved by bursts and gaps", () => {
    const left = timeLeft();
    // 10,000 B/s in all: every second nothing, or twice as much.
    for (let second = 0; second <= 40; second++) {
      const doneBytes = Math.floor(second / 2) * 20_000;
      const rate = second % 2 === 0 ? 20_000 : 0;
      const seconds = left({ doneBytes, totalBytes, rate }, second * 1000);
      const right = 100 - second;
      if (second >= 10)
        assert.ok(Math.abs(seconds - right) <= 0.3 * right, `${second}: ${seconds}`);
    }
  });

  it("follows a new pace within ten seconds", () => {
    const left = timeLeft();
    for (let second = 0; second <= 20; second++) {
      const doneBytes = second <= 10 ? second * 10_000 : 100_000 + (second - 10) * 40_000;
      const seconds = left({ doneBytes, totalBytes, rate: 1 }, second * 1000);
      if (second === 20) assert.equal(seconds, 12.5);
    }
  });

  it("does not count what was there at the beginning", () => {
    const left = timeLeft();
    left({ doneBytes: 900_000, totalBytes, rate: 0 }, 5000);
    assert.equal(left({ doneBytes: 910_000, totalBytes, rate: 0 }, 6000), 9);
  });

  it("is endless when nothing comes, and none when all is there", () => {
    const left = timeLeft();
    left({ doneBytes: 10, totalBytes, rate: 5 }, 0);
    left({ doneBytes: 10, totalBytes, rate: 0 }, 5000);
    assert.equal(left({ doneBytes: 10, totalBytes, rate: 0 }, 20_000), Number.POSITIVE_INFINITY);
    assert.equal(left({ doneBytes: totalBytes, totalBytes, rate: 0 }, 21_000), 0);
  });

  it("begins anew when bytes were taken back", () => {
    const left = timeLeft();
    left({ doneBytes: 600_000, totalBytes, rate: 0 }, 0);
    left({ doneBytes: 500_000, totalBytes, rate: 0 }, 9000);
    assert.equal(left({ doneBytes: 600_000, totalBytes, rate: 0 }, 10_000), 4);
  });
});
