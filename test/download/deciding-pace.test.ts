import assert from "node:assert/strict";
import { Bell } from "../../src/download/bell.js";
import { DecidingPace } from "../../src/download/deciding-pace.js";
import { limits } from "../../src/limits.js";
import { VirtualClock } from "../support/virtual-clock.js";

/** Somebody who rings each millisecond, and turns that take so long; gives when each one began. */
async function turns(tookMs: readonly number[], isOver = () => false): Promise<number[]> {
  const [bell, clock] = [new Bell(), new VirtualClock()];
  const pace = new DecidingPace(bell);
  const begun: number[] = [];
  let isRinging = true;
  const ringing = (async () => {
    while (isRinging) {
      await clock.sleep(1);
      pace.ring();
      if (isOver()) bell.ring();
    }
  })();
  for (const ms of tookMs) {
    const now = clock.now();
    begun.push(now);
    clock.jump(ms);
    await pace.wait(1000, { since: now, clock, isOver });
  }
  begun.push(clock.now());
  isRinging = false;
  await ringing;
  return begun;
}

/** Milliseconds from the end of each turn to the next one. */
async function rests(tookMs: readonly number[], isOver?: () => boolean): Promise<number[]> {
  const begun = await turns(tookMs, isOver);
  return tookMs.map((ms, turn) => Math.floor((begun[turn + 1] ?? 0) - (begun[turn] ?? 0) - ms));
}

describe("deciding", () => {
  it("takes a part of the time, whoever rings", async () => {
    const tookMs = new Array<number>(40).fill(6);
    const rested = await rests(tookMs);
    const sum = rested.reduce((all, ms) => all + ms, 0);
    const due = limits.decideRests * 6 * tookMs.length;
    assert.ok(sum <= due && sum >= due - 2 * limits.decideRestMs, `${sum} of ${due} ms`);
  });

  it("that takes no time happens as soon as somebody rings", async () => {
    assert.deepEqual(await rests([0, 0, 0]), [1, 1, 1]);
  });

  it("that took long at the beginning does not rest: code runs slowly at first", async () => {
    const rested = await rests([4, 4, 0.1, 0.1]);
    assert.ok(
      rested.every((ms) => ms <= 1),
      `${rested} ms`,
    );
  });

  it("never rests for long: the machine may have stood still", async () => {
    const [first = 0, second = 0] = await rests([10_000, 0.1]);
    assert.ok(first <= limits.decideRestMs && second <= 1, `${first} and ${second} ms`);
  });

  it("is woken from its rest by nobody but the end", async () => {
    const [bell, clock] = [new Bell(), new VirtualClock()];
    const pace = new DecidingPace(bell);
    let isOver = false;
    clock.jump(1000);
    const turn = { since: 0, clock, isOver: () => isOver };
    const waited = pace.wait(0, turn).then(() => Math.floor(clock.now()));
    await clock.sleep(1);
    isOver = true;
    pace.ring();
    await clock.sleep(1);
    bell.ring();
    assert.equal(await waited, 1002);
  });

  it("rests no more once all is over", async () => {
    const rested = await rests([20, 20, 20], () => true);
    assert.ok(
      rested.every((ms) => ms <= 1),
      `${rested} ms`,
    );
  });
});
