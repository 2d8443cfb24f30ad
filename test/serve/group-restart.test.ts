/** A virtual server that dies comes back by itself, later each time, and says so. */

import assert from "node:assert/strict";
import type { ServeEvent } from "../../src/serve/serve-events.js";
import { SmallWorld } from "./small-group.js";

const hour = 3_600_000;

describe("a virtual server that dies", () => {
  async function until(isSo: () => boolean): Promise<void> {
    while (!isSo()) await new Promise((resolve) => setImmediate(resolve));
  }

  it("is started again, and both are told", async () => {
    const world = new SmallWorld();
    const group = await world.start([5001, 5002], { intervalMs: hour });
    world.on(5001).die("it stopped listening");
    await world.clock.until(until(() => world.told("started").length === 1));
    assert.deepEqual(
      world.told("stopped").map(({ number, why }) => [number, why]),
      [[1, "it died: it stopped listening"]],
    );
    assert.deepEqual(
      group.status().map(({ state }) => state),
      ["alive", "alive"],
    );
    group.kill();
  });

  it("is tried again while its port cannot be had", async () => {
    const world = new SmallWorld();
    const group = await world.start([5001, 5002], { intervalMs: hour });
    world.refused.add(5001);
    world.on(5001).die("it stopped listening");
    await world.clock.until(until(() => world.told("failed").length === 3));
    world.refused.clear();
    await world.clock.until(until(() => world.told("started").length === 1));
    group.kill();
  });

  it("waits twice as long while its port cannot be had, and a minute at most", async () => {
    const world = new SmallWorld();
    const triedAt: number[] = [];
    const onEvent = ({ event }: ServeEvent) => {
      if (event === "failed") triedAt.push(world.clock.now());
    };
    const group = await world.start([5001, 5002], { intervalMs: hour, onEvent });
    world.refused.add(5001);
    world.on(5001).die("it stopped listening");
    await world.clock.until(until(() => triedAt.length === 9));
    const waits = triedAt.map((at, index) => at - (triedAt[index - 1] ?? 0));
    assert.deepEqual(
      waits.map((ms) => ms / 1000),
      [1, 2, 4, 8, 16, 32, 60, 60, 60],
    );
    group.kill();
  });

  it("waits longer each time that it dies soon after, and a second once it has lived", async () => {
    const world = new SmallWorld();
    const group = await world.start([5001, 5002], { intervalMs: hour });
    const waits: number[] = [];
    const die = async () => {
      const [diedAt, count] = [world.clock.now(), world.told("started").length];
      world.on(5001).die("it stopped listening");
      await world.clock.until(until(() => world.told("started").length > count));
      waits.push((world.clock.now() - diedAt) / 1000);
    };
    for (let time = 0; time < 4; time++) await die();
    await world.clock.advance(60_000);
    await die();
    assert.deepEqual(waits, [1, 2, 4, 8, 1]);
    group.kill();
  });

  it("stays as it is when it was stopped on purpose before", async () => {
    const world = new SmallWorld();
    const group = await world.start([5001, 5002], { intervalMs: hour });
    const first = world.on(5001);
    await group.toggle(1);
    first.die("late");
    await until(() => true);
    assert.equal(world.told("stopped").length, 1);
    assert.equal(group.status()[0]?.state, "stopped");
    group.kill();
  });

  it("is started once when somebody starts it just as it is started again", async () => {
    const world = new SmallWorld();
    const group = await world.start([5001, 5002], { intervalMs: hour });
    let release = () => {};
    const held = new Promise<void>((resolve) => {
      release = resolve;
    });
    let tries = 0;
    world.beforeListening = () => {
      tries++;
      return held;
    };
    world.on(5001).die("it stopped listening");
    await world.clock.until(until(() => tries === 1));
    const toggled = group.toggle(1);
    release();
    await toggled;
    assert.deepEqual([tries, world.told("started").length], [1, 1]);
    group.kill();
  });
});
