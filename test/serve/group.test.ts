import assert from "node:assert/strict";
import { UsageError } from "../../src/errors.js";
import { limits } from "../../src/limits.js";
import { madeUp } from "../support/made-up.js";
import { settled } from "./hand-clock.js";
import { asked, bytesOf, call, Deferred } from "./reading.js";
import { SmallWorld } from "./small-group.js";

describe("a group of virtual servers", () => {
  let world: SmallWorld;
  beforeEach(() => {
    world = new SmallWorld();
  });
  const statesOf = (servers: readonly { readonly state: string }[]) =>
    servers.map(({ state }) => state);

  it("numbers its servers from 1, in the order of their ports", async () => {
    const group = await world.start([5003, 5001]);
    const servers = [
      { number: 1, port: 5003 },
      { number: 2, port: 5001 },
    ];
    assert.deepEqual(group.servers, servers);
    assert.deepEqual(world.events, [{ event: "listening", host: "127.0.0.1", servers }]);
    group.kill();
  });

  const outside = "a port is a number from 1 to 65535";
  const bad: readonly (readonly [what: string, port: number, why: string])[] = [
    ["given twice", 5001, "it was given twice"],
    ["in use", 5002, "it is in use"],
    ["0", 0, outside],
    ["negative", -1, outside],
    ["beyond 65535", 65_536, outside],
    ["no whole number", 5001.5, outside],
    ["no number", Number.NaN, outside],
  ];
  for (const [what, port, why] of bad) {
    it(`drops a port that is ${what}, says why, and starts the rest`, async () => {
      world.busy.add(5002);
      const group = await world.start([5001, port, 5009]);
      assert.deepEqual(world.told("dropped"), [{ event: "dropped", port, why }]);
      assert.deepEqual(
        group.servers.map((server) => server.port),
        [5001, 5009],
      );
      assert.ok(!world.checked.some((checked) => checked === 0 || checked > 65_535));
      group.kill();
    });
  }

  it("takes 1 and 65535", async () => {
    const group = await world.start([1, 65_535]);
    assert.equal(group.servers.length, 2);
    group.kill();
  });

  it("cannot do without any port, and says why each was dropped", async () => {
    world.busy.add(5001);
    await assert.rejects(world.start([5001, 70_000]), (error) => {
      assert.ok(error instanceof UsageError);
      return /no port is left/.test(error.message);
    });
    assert.equal(world.told("dropped").length, 2);
    assert.equal(world.clock.sleepers, 0, "nothing goes on");
  });

  it("starts without a port that is lost between the check and the start", async () => {
    world.refused.add(5001);
    const group = await world.start([5001, 5002]);
    const why = "no port 5001";
    assert.deepEqual(world.told("failed"), [{ event: "failed", number: 1, port: 5001, why }]);
    assert.deepEqual(world.told("listening")[0]?.servers, [{ number: 2, port: 5002 }]);
    assert.deepEqual(statesOf(group.status()), ["stopped", "alive"]);
    world.refused.clear();
    assert.equal(await group.toggle(1), true, "it can be started later");
    assert.deepEqual(world.told("started"), [{ event: "started", number: 1, port: 5001 }]);
    group.kill();
  });

  it("that loses all ports at the start is a usage error", async () => {
    world.refused.add(5001);
    await assert.rejects(world.start([5001]), UsageError);
  });

  it("stops and starts a server by its number, and only that one", async () => {
    const group = await world.start([5001, 5002]);
    assert.equal(await group.toggle(2), true);
    assert.equal(world.on(5002).isKilled, true);
    assert.equal(world.on(5001).isKilled, false);
    assert.deepEqual(statesOf(group.status()), ["alive", "stopped"]);
    assert.equal(await group.toggle(2), true);
    assert.deepEqual([world.listened.length, world.on(5002).isKilled], [3, false]);
    assert.deepEqual(statesOf(group.status()), ["alive", "alive"]);
    const server = { number: 2, port: 5002 };
    assert.deepEqual(world.events.slice(1), [
      { event: "stopped", ...server, why: "asked to" },
      { event: "started", ...server },
    ]);
    group.kill();
  });

  for (const number of [0, 3, -1, 1.5, Number.NaN]) {
    it(`has no server ${number}`, async () => {
      const group = await world.start([5001, 5002]);
      assert.equal(await group.toggle(number), false);
      assert.deepEqual(statesOf(group.status()), ["alive", "alive"]);
      group.kill();
    });
  }

  it("says so when a stopped server's port is taken meanwhile", async () => {
    const group = await world.start([5001, 5002]);
    await group.toggle(1);
    world.refused.add(5001);
    assert.equal(await group.toggle(1), true);
    assert.equal(world.told("failed").length, 1);
    assert.equal(world.told("started").length, 0);
    group.kill();
  });

  it("asked twice to start a server, starts it once", async () => {
    const group = await world.start([5001]);
    await group.toggle(1);
    const gate = new Deferred<void>();
    world.beforeListening = () => gate.promise;
    const both = Promise.all([group.toggle(1), group.toggle(1)]);
    await settled();
    gate.resolve();
    await both;
    const running = world.listened.filter(({ isKilled }) => !isKilled);
    assert.ok(running.length <= 1, "no server runs that nobody can stop");
    assert.equal(world.told("started").length, 1);
    group.kill();
  });

  it("a server told to die stops itself and no other, and can be started again", async () => {
    const faults = new Map([[5001, "die" as const]]);
    const group = await world.start([5001, 5002], { faults });
    const read = () => bytesOf(world.on(5001).replica.read(asked(0, 80_000), call()));
    assert.equal((await read()).length, 10_000);
    const server = { number: 1, port: 5001 };
    const stopped = { event: "stopped", ...server, why: "broken on purpose" };
    assert.deepEqual(world.told("stopped"), [stopped]);
    assert.deepEqual([world.on(5001).isKilled, world.on(5002).isKilled], [true, false]);
    const fine = await bytesOf(world.on(5002).replica.read(asked(0, 80_000), call()));
    assert.ok(fine.equals(madeUp(100_000).subarray(0, 80_000)));
    await group.toggle(1);
    await read();
    assert.equal(world.told("stopped").length, 2, "and dies again");
    group.kill();
  });

  it("reports each interval how every server stands", async () => {
    const faults = new Map([[5002, "short" as const]]);
    const group = await world.start([5001, 5002], { intervalMs: 2000, faults });
    await bytesOf(world.on(5001).replica.read(asked(0, 100_000), call()));
    await bytesOf(world.on(5002).replica.read(asked(0, 40_000), call()));
    await world.clock.advance(1999);
    assert.equal(world.told("status").length, 0);
    await world.clock.advance(1);
    const alike = { state: "alive", streams: 0, calls: 1, errors: 0 };
    assert.deepEqual(world.told("status")[0]?.servers, [
      { number: 1, port: 5001, fault: undefined, ...alike, bytes: 100_000, rate: 50_000 },
      { number: 2, port: 5002, fault: "short", ...alike, bytes: 20_000, rate: 10_000 },
    ]);
    await world.clock.advance(2000);
    const rates = world.told("status")[1]?.servers.map(({ rate }) => rate);
    assert.deepEqual(rates, [0, 0], "rates are since the report before");
    group.kill();
  });

  it("counts on over a stop and a start", async () => {
    const group = await world.start([5001]);
    await bytesOf(world.on(5001).replica.read(asked(0, 100_000), call()));
    await group.toggle(1);
    await group.toggle(1);
    await bytesOf(world.on(5001).replica.read(asked(0, 100_000), call()));
    assert.deepEqual(group.status()[0]?.bytes, 200_000);
    group.kill();
  });

  it("asked for its status in the very moment of the last one, gives finite rates", async () => {
    const group = await world.start([5001]);
    await bytesOf(world.on(5001).replica.read(asked(0, 10_000), call()));
    assert.ok(Number.isFinite(group.status()[0]?.rate));
    assert.equal(group.status()[0]?.rate, 0);
    group.kill();
  });

  it("limits the rate of each server, not of all together", async () => {
    const group = await world.start([5001, 5002], { limitRate: 10_000 });
    const read = (port: number) =>
      bytesOf(world.on(port).replica.read(asked(0, 100_000), call())).then(() => world.clock.now());
    const endedAt = await world.clock.until(Promise.all([read(5001), read(5002)]));
    for (const ms of endedAt) assert.ok(Math.abs(ms - 10_000) <= 100, `one took ${ms} ms`);
    group.kill();
  });

  it("drains every server, then ends; a second time does nothing", async () => {
    const group = await world.start([5001, 5002]);
    await group.toggle(2);
    await group.drain();
    assert.equal(world.on(5001).drainedMs, limits.drainMs);
    assert.equal(world.on(5002).drainedMs, undefined, "it was stopped already");
    assert.equal(world.clock.sleepers, 0, "no more reports");
    await group.drain();
    const kinds = world.events.slice(-2).map(({ event }) => event);
    assert.deepEqual(kinds, ["draining", "drained"]);
    assert.deepEqual([world.told("draining").length, world.told("drained").length], [1, 1]);
  });

  it("that has ended says that none of its servers is alive", async () => {
    const group = await world.start([5001, 5002]);
    await group.drain();
    const drained = world.told("drained")[0]?.servers ?? [];
    assert.deepEqual(statesOf(drained), ["stopped", "stopped"]);
  });

  for (const end of ["drain", "kill"] as const) {
    it(`that has ended by ${end} starts no server again`, async () => {
      const group = await world.start([5001, 5002]);
      await group.toggle(2);
      await group[end]();
      await group.toggle(2);
      const after = world.listened.slice(2);
      assert.ok(
        after.every(({ isKilled }) => isKilled),
        "it would listen for ever",
      );
    });
  }

  it("kills every server, and ends", async () => {
    const group = await world.start([5001, 5002]);
    group.kill();
    assert.ok(world.listened.every(({ isKilled }) => isKilled));
    await settled();
    assert.equal(world.clock.sleepers, 0);
    await group.drain();
    assert.equal(world.told("drained").length, 0, "there is nothing left to drain");
  });
});
