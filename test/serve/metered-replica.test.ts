import assert from "node:assert/strict";
import { ReplicaFault } from "../../src/ports.js";
import type { Fault } from "../../src/schedule/faults.js";
import { meteredReplica, newCounters } from "../../src/serve/metered-replica.js";
import { madeUp } from "../support/made-up.js";
import { memoryReplica } from "../support/memory-replica.js";
import { asked, bytesOf, call, failing } from "./reading.js";

const data = madeUp(100_000);
const nothing = { calls: 0, streams: 0, bytes: 0, errors: 0 };
const pieces = { name: "a.bin", first: 0, count: 1, ifDigest: undefined };
const page = { pageSize: 0, pageToken: "", prefix: "" };

describe("a metered replica", () => {
  const honest = memoryReplica({ "a.bin": data }, 10_000);

  it("counts every kind of call, and gives what it gave", async () => {
    const counters = newCounters();
    const metered = meteredReplica(honest, counters);
    assert.deepEqual(await metered.claim("", call()), await honest.claim("", call()));
    assert.deepEqual(await metered.size("", call()), await honest.size("", call()));
    assert.deepEqual(await metered.pieces(pieces, call()), await honest.pieces(pieces, call()));
    assert.deepEqual(await metered.list(page, call()), await honest.list(page, call()));
    assert.deepEqual(await bytesOf(metered.read(asked(5, 99_999), call())), data.subarray(5, -1));
    assert.deepEqual(counters, { calls: 5, streams: 0, bytes: 99_994, errors: 0 });
  });

  it("counts reads while they run", async () => {
    const counters = newCounters();
    const metered = meteredReplica(honest, counters);
    const readings = [0, 1, 2].map(() => metered.read(asked(0, 30_000), call()));
    const iterators = readings.map((reading) => reading[Symbol.asyncIterator]());
    assert.equal(counters.streams, 0, "a read begins when its first chunk is asked for");
    for (const iterator of iterators) await iterator.next();
    assert.equal(counters.streams, 3);
    assert.equal(counters.bytes, 0, "a chunk counts once the next one is asked for");
    await iterators[0]?.next();
    assert.equal(counters.bytes, 10_000);
    for (const iterator of iterators) await iterator.return?.();
    assert.deepEqual([counters.streams, counters.errors], [0, 0], "a reader that left is no error");
  });

  it("a call that the client ended is no error", async () => {
    const counters = newCounters();
    const metered = meteredReplica(honest, counters);
    const signal = AbortSignal.abort(new Error("enough"));
    await assert.rejects(metered.claim("a.bin", call(signal)), /enough/);
    await assert.rejects(bytesOf(metered.read(asked(0, 10), call(signal))), /enough/);
    assert.deepEqual(counters, { ...nothing, calls: 2 });
  });

  it("a read that the client ended midway is no error", async () => {
    const counters = newCounters();
    const abort = new AbortController();
    const metered = meteredReplica(honest, counters);
    const reading = (async () => {
      for await (const _ of metered.read(asked(0, 50_000), call(abort.signal))) {
        abort.abort(new Error("enough"));
      }
    })();
    await assert.rejects(reading, /enough/);
    assert.deepEqual(counters, { ...nothing, calls: 1, bytes: 10_000 });
  });

  const faults: readonly (readonly [fault: Fault, errors: number])[] = [
    [{ kind: "missing" }, 5],
    [{ kind: "changed", detail: "" }, 5],
    [{ kind: "corrupt", detail: "" }, 5],
    [{ kind: "short", detail: "" }, 5],
    [{ kind: "denied", detail: "" }, 5],
    // Told to come back: what these clients see is a server that works.
    [{ kind: "busy", retryMs: 1000 }, 0],
    [{ kind: "hashing", retryMs: 500, doneBytes: 1, totalBytes: 2 }, 0],
  ];
  for (const [fault, errors] of faults) {
    it(`${fault.kind} is ${errors === 0 ? "no error" : "an error"} in every kind of call`, async () => {
      const counters = newCounters();
      const thrown = new ReplicaFault(fault);
      const metered = meteredReplica(failing(thrown), counters);
      const calls = [
        metered.claim("a.bin", call()),
        metered.size("a.bin", call()),
        metered.pieces(pieces, call()),
        metered.list(page, call()),
        bytesOf(metered.read(asked(0, 1), call())),
      ];
      for (const calling of calls) await assert.rejects(calling, (error) => error === thrown);
      assert.deepEqual(counters, { ...nothing, calls: 5, errors });
    });
  }

  it("what was not foreseen is an error", async () => {
    const counters = newCounters();
    const metered = meteredReplica(failing(new TypeError("a bug")), counters);
    await assert.rejects(metered.claim("a.bin", call()), /a bug/);
    assert.equal(counters.errors, 1);
  });
});
