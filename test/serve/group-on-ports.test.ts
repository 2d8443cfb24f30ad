/** A group on real ports: what a client sees when servers stop, start, drain and break. */

import assert from "node:assert/strict";
import { createServer } from "node:net";
import { checkPort } from "../../src/grpc/port-check.js";
import { connectReplica, type RemoteReplica } from "../../src/grpc/replica-client.js";
import { listenReplica } from "../../src/grpc/replica-server.js";
import type { Chunk } from "../../src/ports.js";
import { type Group, startGroup } from "../../src/serve/group.js";
import { resolveServeOptions, type ServeOptions } from "../../src/serve/options.js";
import type { ServeEvent } from "../../src/serve/serve-events.js";
import { systemClock } from "../../src/system.js";
import { freePorts } from "../support/cli.js";
import { madeUp } from "../support/made-up.js";
import { memoryReplica } from "../support/memory-replica.js";
import { asked, bytesOf, call, faultOf } from "./reading.js";

// More than the windows of a connection hold: a reader that waits makes the server wait.
const data = madeUp(32 * 1024 * 1024);
const shared = memoryReplica({ "a.bin": data }, 256 * 1024);

describe("a group on real ports", () => {
  let group: Group;
  let ports: number[];
  let events: ServeEvent[];
  const clients: RemoteReplica[] = [];
  /** Bytes of the first chunk of reads that wait for their reader. */
  const begun = new WeakMap<AsyncIterator<Chunk>, number>();
  beforeEach(async () => {
    events = [];
    ports = await freePorts(3);
  });
  afterEach(() => {
    for (const client of clients.splice(0)) client.close();
    group.kill();
  });

  async function start(options: ServeOptions = {}): Promise<void> {
    const onEvent = (event: ServeEvent) => events.push(event);
    const resolved = resolveServeOptions({ onEvent, intervalMs: 60_000, ...options }, ports);
    const world = { clock: systemClock, checkPort, listen: listenReplica };
    group = await startGroup(shared, ports, world, resolved);
  }
  function client(number: number): RemoteReplica {
    const connected = connectReplica("127.0.0.1", ports[number - 1] ?? 0);
    clients.push(connected);
    return connected;
  }
  /** A read that has begun and waits for its reader. */
  async function begin(of: RemoteReplica): Promise<AsyncIterator<Chunk>> {
    const reading = of.read(asked(0, data.length), call())[Symbol.asyncIterator]();
    const first = await reading.next();
    begun.set(reading, first.done === true ? 0 : first.value.bytes.length);
    return reading;
  }
  /** Reads on to the end, and gives how many bytes came in all. */
  async function rest(reading: AsyncIterator<Chunk>): Promise<number> {
    let bytes = begun.get(reading) ?? 0;
    for (let next = await reading.next(); next.done !== true; next = await reading.next()) {
      bytes += next.value.bytes.length;
    }
    return bytes;
  }
  const small = (of: RemoteReplica) => bytesOf(of.read(asked(5, 99_999), call()));

  it("a stopped virtual server breaks its connections", async () => {
    await start();
    const reading = await begin(client(1));
    await group.toggle(1);
    assert.equal((await faultOf(rest(reading))).kind, "unreachable");
    assert.equal((await faultOf(client(1).claim("", call()))).kind, "unreachable");
    const server = { number: 1, port: ports[0] };
    assert.deepEqual(events.at(-1), { event: "stopped", ...server, why: "asked to" });
  });

  it("a stopped virtual server starts again on its port", async () => {
    await start();
    await begin(client(2));
    await group.toggle(2);
    await group.toggle(2);
    assert.deepEqual(events.at(-1), { event: "started", number: 2, port: ports[1] });
    assert.ok((await small(client(2))).equals(data.subarray(5, 99_999)));
  });

  it("a stopped virtual server disturbs no other: their reads go on", async () => {
    await start();
    const reading = await begin(client(2));
    await group.toggle(1);
    await group.toggle(3);
    assert.equal(await rest(reading), data.length);
  });

  it("a server that dies breaks its own reads only", async () => {
    await start({ faults: new Map([[ports[0] ?? 0, "die"]]) });
    const others = await begin(client(2));
    const fault = await faultOf(bytesOf(client(1).read(asked(0, 800_000), call())));
    assert.equal(fault.kind, "unreachable");
    const server = { number: 1, port: ports[0] };
    assert.deepEqual(events.at(-1), { event: "stopped", ...server, why: "broken on purpose" });
    assert.equal(await rest(others), data.length);
    const states = group.status().map(({ state }) => state);
    assert.deepEqual(states, ["stopped", "alive", "alive"]);
  });

  it("a port that is in use is dropped, with the reason", async () => {
    const squatter = createServer();
    await new Promise<void>((resolve) => squatter.listen(ports[1], "127.0.0.1", resolve));
    try {
      await start();
      const dropped = { event: "dropped", port: ports[1], why: "it is in use" };
      assert.deepEqual(events[0], dropped);
      assert.equal(group.servers.length, 2);
    } finally {
      await new Promise((resolve) => squatter.close(resolve));
    }
  });

  it("drained, it lets a running read finish and takes no new one", async () => {
    await start();
    const reading = await begin(client(1));
    const draining = group.drain();
    const refused = await faultOf(small(client(1)));
    assert.equal(refused.kind, "unreachable");
    assert.equal(await rest(reading), data.length);
    await draining;
    assert.equal(events.at(-1)?.event, "drained");
    assert.ok((group.status()[0]?.bytes ?? 0) >= data.length - 256 * 1024);
  });

  it("drained, it refuses a new read on a connection that it had", async () => {
    await start();
    const connected = client(1);
    const reading = await begin(connected);
    const draining = group.drain();
    assert.equal((await faultOf(small(connected))).kind, "unreachable");
    assert.equal(await rest(reading), data.length);
    await draining;
  });

  it("killed while it drains, it ends at once", async () => {
    await start();
    const reading = await begin(client(1));
    const draining = group.drain();
    group.kill();
    await draining;
    assert.equal((await faultOf(rest(reading))).kind, "unreachable");
  });

  it("a client that goes away is no error, and its stream ends", async () => {
    await start();
    const abort = new AbortController();
    const connected = client(1);
    const reading = connected.read(asked(0, data.length), call(abort.signal));
    const iterator = reading[Symbol.asyncIterator]();
    await iterator.next();
    assert.equal(group.status()[0]?.streams, 1);
    abort.abort(new Error("enough"));
    await assert.rejects(iterator.next(), /enough/);
    // An answer on the same connection comes after the server learned of the end.
    await connected.size("", call());
    const { streams, errors } = group.status()[0] ?? {};
    assert.deepEqual({ streams, errors }, { streams: 0, errors: 0 });
  });
});
