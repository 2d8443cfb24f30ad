/** A call that takes the express way, and what becomes of it when that fails. */

import assert from "node:assert/strict";
import { frame, frameKind } from "../../src/grpc/express/frames.js";
import { Lane } from "../../src/grpc/lane.js";
import { ReplicaFault } from "../../src/ports.js";
import { overEachWire } from "../support/wires.js";
import { dataFrames, headers } from "./express/raw-server.js";
import { content, laneOnTrial, rejectsWith, says, sizeOn } from "./tried-lane.js";

const unspoken = new AbortController().signal;

overEachWire("a lane to a replica", (wire) => {
  const on = laneOnTrial(wire);

  async function read(start: number, end: number, { signal = unspoken, deadlineMs = 9000 } = {}) {
    const parts: Uint8Array[] = [];
    const request = { name: "a.bin", range: { start, end }, ifDigest: undefined };
    for await (const { offset, bytes } of on.lane.read(request, { signal, deadlineMs })) {
      assert.equal(offset, start + Buffer.concat(parts).length);
      parts.push(Uint8Array.from(bytes));
    }
    assert.ok(Buffer.concat(parts).equals(content.subarray(start, end)), "all of it, and right");
  }
  const part = (stream: number, start: number, end: number) =>
    dataFrames(stream, start, content.subarray(start, end));
  it("asks as gRPC does, with its time and its token", async () => {
    const reading = read(0, 1000);
    const { payload } = await on.server.next(frameKind.headers);
    const text = payload.toString("latin1");
    for (const header of [
      ":path",
      "/quorate.v1.ReplicaService/ReadRange",
      "trailers",
      "grpc-timeout",
    ]) {
      assert.ok(text.includes(header), header);
    }
    // A length beyond 126 takes another byte: 300 + 7 are 127 and 180.
    assert.ok(
      text.includes(`\u0010\u000dauthorization\u007f\u00b4\u0001Bearer ${"t".repeat(300)}`),
    );
    const { stream, name, offset, length } = await on.server.asked();
    assert.deepEqual([name, offset, length], ["a.bin", 0n, 1000n]);
    on.server.greet();
    on.server.send(...part(stream, 0, 1000));
    await reading;
    assert.deepEqual(on.tried.ordinary, []);
  });

  it("opens no connection once it is closed, of either kind", async () => {
    on.lane.close();
    await rejectsWith(read(0, 2000), "unreachable");
    await rejectsWith(sizeOn(on.lane), "unreachable");
    assert.deepEqual(on.tried.ordinary, []);
  });

  it("says that nobody can be reached when the ordinary way cannot be loaded, and tries again", async () => {
    let tries = 0;
    const other = new Lane(undefined, async () => {
      if (++tries === 1) throw new Error("EMFILE");
      return on.tried.way;
    });
    const ask = () => other.ask({ signal: unspoken, deadlineMs: 9000 }, (put) => put.getSize({}));
    await rejectsWith(ask(), "unreachable");
    await ask();
    other.close();
  });

  const ends: readonly (readonly [what: string, frames: (stream: number) => Buffer[]])[] = [
    ["ends its answer", (stream) => [headers(stream, 5)]],
    ["resets it", (stream) => [frame(frameKind.reset, 0, stream, Buffer.alloc(4))]],
    ["gives what is not due", (stream) => part(stream, 0, 10)],
    ["gives more than is asked for", (stream) => part(stream, 600, 1001)],
    ["sends what is no frame", () => [Buffer.alloc(90, 0x41)]],
  ];
  for (const [what, frames] of ends) {
    it(`asks the ordinary way for the rest when a server ${what}`, async () => {
      const reading = read(0, 1000);
      const { stream } = await on.server.asked();
      on.server.greet();
      on.server.send(...part(stream, 0, 600), ...frames(stream));
      await reading;
      assert.deepEqual(on.tried.ordinary, [[600, 1000]]);
    });
  }

  const earlyEnds = [
    ["says that it cannot", (stream: number) => says(stream, "9")],
    ["resets it", (stream: number) => frame(frameKind.reset, 0, stream, Buffer.alloc(4))],
    ["sends what is no frame", () => Buffer.alloc(90, 0x41)],
  ] as const;
  for (const [what, end] of earlyEnds) {
    it(`lets an early read end, and asks nobody why, when a server ${what}`, async () => {
      const range = { start: 0, end: 1000 };
      const request = { name: "a.bin", range, ifDigest: undefined, isEarly: true };
      const chunks = on.lane.read(request, { signal: unspoken, deadlineMs: 9000 });
      const first = chunks.next();
      const { stream } = await on.server.asked();
      on.server.greet();
      on.server.send(...part(stream, 0, 600), end(stream));
      assert.equal((await first).value?.bytes.length, 600);
      assert.equal((await chunks.next()).done, true);
      assert.deepEqual(on.tried.ordinary, []);
    });
  }

  it("gives the fault that the server names, and asks nobody else", async () => {
    const reading = read(0, 1000);
    const { stream } = await on.server.asked();
    on.server.greet();
    on.server.send(says(stream, "9"));
    await assert.rejects(reading, (error) => {
      assert.ok(error instanceof ReplicaFault);
      assert.deepEqual(error.fault, { kind: "changed", detail: " x" });
      return true;
    });
    assert.deepEqual(on.tried.ordinary, []);
  });
  for (const status of ["0", "00", "-1", "99", "1e0", "", "x", "8, 8"]) {
    it(`asks the ordinary way when a server says "${status}" for a status`, async () => {
      const reading = read(0, 1000);
      const { stream } = await on.server.asked();
      on.server.greet();
      on.server.send(says(stream, status));
      await reading;
      assert.deepEqual(on.tried.ordinary, [[0, 1000]]);
    });
  }

  it("gives the fault that the ordinary way names", async () => {
    on.tried.failure = new ReplicaFault({ kind: "busy", retryMs: 7 });
    const reading = read(0, 1000);
    const { stream } = await on.server.asked();
    on.server.greet();
    on.server.send(headers(stream, 5));
    await rejectsWith(reading, "busy");
  });

  it("takes no express way any more where the ordinary one got further three times", async () => {
    for (let turn = 0; turn < 3; turn++) {
      const reading = turn === 1 ? sizeOn(on.lane) : read(0, 1000);
      const { stream } = await on.server.asked();
      if (turn === 0) on.server.greet();
      on.server.send(headers(stream, 5));
      await reading;
    }
    await read(0, 2000);
    await sizeOn(on.lane);
    assert.deepEqual(on.tried.ordinary, [[0, 1000], "a.bin", [0, 1000], [0, 2000], "a.bin"]);
  });

  it("goes on with it where the ordinary one fares no better", async () => {
    on.tried.failure = new ReplicaFault({ kind: "unreachable", detail: "not now" });
    for (let turn = 0; turn < 6; turn++) {
      const asking = turn % 2 === 0 ? read(0, 1000) : sizeOn(on.lane);
      const { stream } = await on.server.asked();
      if (turn === 0) on.server.greet();
      on.server.send(headers(stream, 5));
      await assert.rejects(asking);
    }
    assert.equal(on.tried.ordinary.length, 6);
  });

  it("ends with the caller's reason, and asks nobody else", async () => {
    const abort = new AbortController();
    const reading = read(0, 1000, { signal: abort.signal });
    const { stream } = await on.server.asked();
    on.server.greet();
    on.server.send(...part(stream, 0, 10));
    const reason = new Error("enough");
    abort.abort(reason);
    await assert.rejects(reading, (error) => error === reason);
    await on.server.next(frameKind.reset);
    assert.deepEqual(on.tried.ordinary, []);
  });

  it("is late when its time is up, and asks nobody else", async () => {
    await rejectsWith(read(0, 1000, { deadlineMs: 50 }), "late");
    assert.deepEqual(on.tried.ordinary, []);
  });
});
