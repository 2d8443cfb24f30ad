import assert from "node:assert/strict";
import { limits } from "../../src/limits.js";
import type { Chunk } from "../../src/ports.js";
import {
  ClientRates,
  chunkBytesFor,
  shapedPerClient,
  shapedReplica,
} from "../../src/serve/shaped-replica.js";
import { systemClock } from "../../src/system.js";
import { madeUp } from "../support/made-up.js";
import { memoryReplica } from "../support/memory-replica.js";
import { HandClock, settled } from "./hand-clock.js";
import { asked, bytesOf, call } from "./reading.js";

const data = madeUp(1_000_000);

describe("a shaped replica", () => {
  const honest = memoryReplica({ "a.bin": data }, 10_000);

  it("keeps its rate", async () => {
    const clock = new HandClock();
    const shaped = shapedReplica(honest, { rateBytesPerSecond: 100_000, clock });
    const bytes = await clock.until(bytesOf(shaped.read(asked(0, 1_000_000), call())));
    assert.ok(bytes.equals(data));
    assert.ok(Math.abs(clock.now() - 10_000) <= 100, `it took ${clock.now()} ms`);
  });

  it("keeps its rate over two reads together, and halves it between them", async () => {
    const clock = new HandClock();
    const shaped = shapedReplica(honest, { rateBytesPerSecond: 100_000, clock });
    const endedAt: number[] = [];
    const read = async (start: number, end: number) => {
      const bytes = await bytesOf(shaped.read(asked(start, end), call()));
      endedAt.push(clock.now());
      return bytes;
    };
    const both = await clock.until(Promise.all([read(0, 250_000), read(500_000, 750_000)]));
    assert.ok(both[0]?.equals(data.subarray(0, 250_000)));
    assert.ok(both[1]?.equals(data.subarray(500_000, 750_000)));
    for (const ms of endedAt) assert.ok(Math.abs(ms - 5000) <= 200, `one took ${ms} ms`);
  });

  it("saves up no more than a moment while nothing is read", async () => {
    const clock = new HandClock();
    const shaped = shapedReplica(honest, { rateBytesPerSecond: 100_000, clock });
    await clock.until(bytesOf(shaped.read(asked(0, 100_000), call())));
    await clock.advance(60_000);
    const before = clock.now();
    await clock.until(bytesOf(shaped.read(asked(0, 100_000), call())));
    assert.ok(clock.now() - before >= 900, `it took ${clock.now() - before} ms`);
  });

  it("holds back nothing but reads", async () => {
    const clock = new HandClock();
    const shaped = shapedReplica(honest, { rateBytesPerSecond: 1024, clock });
    const pieces = { name: "a.bin", first: 0, count: 1, ifDigest: undefined };
    const page = { pageSize: 0, pageToken: "", prefix: "" };
    assert.deepEqual(await shaped.claim("", call()), await honest.claim("", call()));
    assert.deepEqual(await shaped.size("", call()), await honest.size("", call()));
    assert.deepEqual(await shaped.pieces(pieces, call()), await honest.pieces(pieces, call()));
    assert.deepEqual(await shaped.list(page, call()), await honest.list(page, call()));
    assert.equal(clock.now(), 0);
  });

  for (const [name, clock] of [
    ["a virtual", new HandClock()],
    ["the system's", systemClock],
  ] as const) {
    it(`an abort ends the wait by ${name} clock with the signal's reason`, async () => {
      const abort = new AbortController();
      const reason = new Error("enough");
      const shaped = shapedReplica(honest, { rateBytesPerSecond: 1, clock });
      const reading = bytesOf(shaped.read(asked(0, 10_000), call(abort.signal)));
      const outcome = reading.catch((error: unknown) => error);
      await settled();
      abort.abort(reason);
      assert.equal(await outcome, reason);
    });
  }
});

describe("a replica shaped for each client", () => {
  const honest = memoryReplica({ "a.bin": data }, 10_000);
  const rateBytesPerSecond = 100_000;
  const by = (client: string) => ({ ...call(), client });

  it("gives each its own rate, over all virtual servers and reads together", async () => {
    const clock = new HandClock();
    const rates = new ClientRates(rateBytesPerSecond);
    const shaped = () => shapedPerClient(honest, { rateBytesPerSecond, clock }, rates);
    const [one, other] = [shaped(), shaped()];
    const endedAt = new Map<string, number>();
    const read = async (replica: typeof one, client: string) => {
      const bytes = await bytesOf(replica.read(asked(0, 200_000), by(client)));
      assert.ok(bytes.equals(data.subarray(0, 200_000)));
      endedAt.set(client, clock.now());
    };
    await clock.until(
      Promise.all([read(one, "greedy"), read(other, "greedy"), read(one, "modest")]),
    );
    const [greedyMs = 0, modestMs = 0] = ["greedy", "modest"].map((who) => endedAt.get(who));
    assert.ok(Math.abs(greedyMs - 4000) <= 200, `two reads of one took ${greedyMs} ms`);
    assert.ok(Math.abs(modestMs - 2000) <= 200, `one of another took ${modestMs} ms`);
  });

  it("forgets those that are quiet, and none that still owes", () => {
    const rates = new ClientRates(1000);
    const busy = rates.of("busy", 0);
    busy.take(1_000_000, 0);
    const quiet = rates.of("quiet", 0);
    for (let client = 0; client < 2 * limits.readsInFlight; client++) rates.of(`${client}`, 1);
    assert.equal(rates.of("busy", 1), busy);
    assert.notEqual(rates.of("quiet", 1), quiet);
  });
});

describe("chunks under a rate", () => {
  const MiB = 1024 * 1024;
  const cases: readonly (readonly [rate: number, bytes: number])[] = [
    [1000 * MiB, limits.chunkBytes],
    [limits.chunkBytes * limits.chunksPerSecond, limits.chunkBytes],
    [1 * MiB, Math.floor(MiB / 20)],
    [100_000, 5000],
    [limits.chunkFloorBytes * limits.chunksPerSecond, limits.chunkFloorBytes],
    [1024, limits.chunkFloorBytes],
    [1, limits.chunkFloorBytes],
  ];
  for (const [rate, bytes] of cases) {
    it(`have ${bytes} bytes at ${rate} bytes a second`, () => {
      assert.equal(chunkBytesFor(rate), bytes);
    });
  }

  for (const rate of [4096, 64 * 1024, 300_000]) {
    it(`come often enough at ${rate} bytes a second that no idle clock runs out`, async () => {
      const clock = new HandClock();
      const local = memoryReplica({ "a.bin": data }, chunkBytesFor(rate));
      const shaped = shapedReplica(local, { rateBytesPerSecond: rate, clock });
      const gaps = await clock.until(gapsOf(shaped.read(asked(0, rate * 3), call()), clock));
      assert.ok(Math.max(...gaps) < limits.idleMs, `it was silent for ${Math.max(...gaps)} ms`);
    });
  }
});

/** The times between the chunks of a read. */
async function gapsOf(chunks: AsyncIterable<Chunk>, clock: HandClock): Promise<number[]> {
  const gaps: number[] = [];
  let last = clock.now();
  for await (const _ of chunks) {
    gaps.push(clock.now() - last);
    last = clock.now();
  }
  return gaps;
}
