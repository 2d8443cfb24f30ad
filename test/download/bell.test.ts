import assert from "node:assert/strict";
import { Bell } from "../../src/download/bell.js";
import { FakeClock } from "../support/fake-clock.js";

/** Whether a promise has settled by now, after what was due has run. */
async function isSettled(promise: Promise<unknown>): Promise<boolean> {
  let settled = false;
  void promise.then(() => {
    settled = true;
  });
  await new Promise((resolve) => setImmediate(resolve));
  return settled;
}

describe("a bell", () => {
  it("wakes who waits for it", async () => {
    const bell = new Bell();
    const waiting = bell.rung();
    assert.equal(await isSettled(waiting), false);
    bell.ring();
    assert.equal(await isSettled(waiting), true);
  });

  it("a ring before the wait is not lost", async () => {
    const bell = new Bell();
    bell.ring();
    assert.equal(await isSettled(bell.rung()), true);
  });

  it("several rings count as one", async () => {
    const bell = new Bell();
    bell.ring();
    bell.ring();
    await bell.rung();
    assert.equal(await isSettled(bell.rung()), false);
  });

  it("a ring ends a wait before its time", async () => {
    const [bell, clock] = [new Bell(), new FakeClock(0)];
    const waiting = bell.rungWithin(1000, clock);
    bell.ring();
    await waiting;
    assert.equal(clock.now(), 0);
  });

  it("without a ring, a wait ends by its time", async () => {
    const [bell, clock] = [new Bell(), new FakeClock(0)];
    await bell.rungWithin(1000, clock);
    assert.equal(clock.now(), 1000);
  });

  it("a wait that ended by its time leaves the next one to wait", async () => {
    const [bell, clock] = [new Bell(), new FakeClock(0)];
    await bell.rungWithin(1000, clock);
    await bell.rungWithin(1000, clock);
    assert.equal(clock.now(), 2000);
    const third = bell.rungWithin(1000, clock);
    bell.ring();
    await third;
    assert.equal(clock.now(), 2000);
  });

  it("a ring before a wait with a time ends it at once", async () => {
    const [bell, clock] = [new Bell(), new FakeClock(0)];
    bell.ring();
    await bell.rungWithin(1000, clock);
    assert.equal(clock.now(), 0);
  });
});
