/** A read that takes the express way, and what becomes of it when that fails. */

import assert from "node:assert/strict";
import { create } from "@bufbuild/protobuf";
import { ClientError, Status } from "nice-grpc";
import { type ReadRangeRequest, ReadRangeResponseSchema } from "../../gen/quorate/v1/replica_pb.js";
import { frame, frameKind } from "../../src/grpc/express/frames.js";
import { headerBlock } from "../../src/grpc/express/headers.js";
import { ReadLane } from "../../src/grpc/read-lane.js";
import { ReplicaFault } from "../../src/ports.js";
import { madeUp } from "../support/made-up.js";
import { dataFrames, headers, RawServer } from "./express/raw-server.js";

const content = madeUp(2_000_000);
const unspoken = new AbortController().signal;

describe("a lane to a replica", () => {
  let server: RawServer;
  let lane: ReadLane;
  /** What was asked the ordinary way, and what becomes of it. */
  let ordinary: ReadRangeRequest[];
  let failure: Error | undefined;

  const client = {
    async *readRange(request: ReadRangeRequest) {
      ordinary.push(request);
      if (failure !== undefined) throw failure;
      const offset = Number(request.offset);
      const data = content.subarray(offset, offset + Number(request.length));
      yield create(ReadRangeResponseSchema, { offset: request.offset, data });
    },
  };

  beforeEach(async () => {
    ordinary = [];
    failure = undefined;
    server = new RawServer();
    const route = { host: "127.0.0.1", port: await server.listen(), token: "t".repeat(300) };
    lane = new ReadLane(() => client, { ...route, fromBytes: 1000 });
  });
  afterEach(() => {
    lane.close();
    server.close();
  });

  async function read(start: number, end: number, { signal = unspoken, deadlineMs = 9000 } = {}) {
    const parts: Uint8Array[] = [];
    const request = { name: "a.bin", range: { start, end }, ifDigest: undefined };
    for await (const { offset, bytes } of lane.read(request, { signal, deadlineMs })) {
      assert.equal(offset, start + Buffer.concat(parts).length);
      parts.push(Uint8Array.from(bytes));
    }
    assert.ok(Buffer.concat(parts).equals(content.subarray(start, end)), "all of it, and right");
  }
  const asked = () => ordinary.map(({ offset, length }) => [Number(offset), Number(length)]);
  const part = (stream: number, start: number, end: number) =>
    dataFrames(stream, start, content.subarray(start, end));

  it("asks as gRPC does, with its time and its token", async () => {
    const reading = read(0, 1000);
    const { payload } = await server.next(frameKind.headers);
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
    const { stream, name, offset, length } = await server.asked();
    assert.deepEqual([name, offset, length], ["a.bin", 0n, 1000n]);
    server.greet();
    server.send(...part(stream, 0, 1000));
    await reading;
    assert.deepEqual(asked(), []);
  });

  it("takes the ordinary way for little, until there is a connection", async () => {
    await read(0, 999);
    assert.deepEqual(asked(), [[0, 999]]);
    const large = read(0, 1000);
    const { stream } = await server.asked();
    server.greet();
    server.send(...part(stream, 0, 1000));
    await large;
    const small = read(5, 6);
    server.send(...part((await server.asked()).stream, 5, 6));
    await small;
    assert.deepEqual(asked(), [[0, 999]]);
  });

  it("opens no connection once it is closed", async () => {
    lane.close();
    lane.expect(5000);
    await read(0, 2000);
    assert.deepEqual(asked(), [[0, 2000]]);
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
      const { stream } = await server.asked();
      server.greet();
      server.send(...part(stream, 0, 600), ...frames(stream));
      await reading;
      assert.deepEqual(asked(), [[600, 400]]);
    });
  }

  const says = (stream: number, status: string) => {
    const block = headerBlock([
      [":status", "200"],
      ["grpc-status", status],
      ["grpc-message", "%20x"],
    ]);
    return frame(frameKind.headers, 5, stream, block);
  };
  it("gives the fault that the server names, and asks nobody else", async () => {
    const reading = read(0, 1000);
    const { stream } = await server.asked();
    server.greet();
    server.send(says(stream, "9"));
    await assert.rejects(reading, (error) => {
      assert.ok(error instanceof ReplicaFault);
      assert.deepEqual(error.fault, { kind: "changed", detail: " x" });
      return true;
    });
    assert.deepEqual(asked(), []);
  });
  for (const status of ["0", "00", "-1", "99", "1e0", "", "x", "8, 8"]) {
    it(`asks the ordinary way when a server says "${status}" for a status`, async () => {
      const reading = read(0, 1000);
      const { stream } = await server.asked();
      server.greet();
      server.send(says(stream, status));
      await reading;
      assert.deepEqual(asked(), [[0, 1000]]);
    });
  }

  it("gives the fault that the ordinary way names", async () => {
    failure = new ClientError("/x", Status.RESOURCE_EXHAUSTED, "later");
    const reading = read(0, 1000);
    const { stream } = await server.asked();
    server.greet();
    server.send(headers(stream, 5));
    await assert.rejects(reading, (error) => {
      return error instanceof ReplicaFault && error.fault.kind === "busy";
    });
  });

  it("takes no express way any more where the ordinary one got further three times", async () => {
    for (let turn = 0; turn < 3; turn++) {
      const reading = read(0, 1000);
      const { stream } = await server.asked();
      if (turn === 0) server.greet();
      server.send(headers(stream, 5));
      await reading;
    }
    await read(0, 2000);
    assert.deepEqual(asked().at(-1), [0, 2000]);
    assert.equal(asked().length, 4);
  });

  it("goes on with it where the ordinary one fares no better", async () => {
    failure = new ClientError("/x", Status.UNAVAILABLE, "not now");
    for (let turn = 0; turn < 5; turn++) {
      const reading = read(0, 1000);
      const { stream } = await server.asked();
      if (turn === 0) server.greet();
      server.send(headers(stream, 5));
      await assert.rejects(reading);
    }
    assert.equal(asked().length, 5);
  });

  it("ends with the caller's reason, and asks nobody else", async () => {
    const abort = new AbortController();
    const reading = read(0, 1000, { signal: abort.signal });
    const { stream } = await server.asked();
    server.greet();
    server.send(...part(stream, 0, 10));
    const reason = new Error("enough");
    abort.abort(reason);
    await assert.rejects(reading, (error) => error === reason);
    await server.next(frameKind.reset);
    assert.deepEqual(asked(), []);
  });

  it("is late when its time is up, and asks nobody else", async () => {
    const reading = read(0, 1000, { deadlineMs: 50 });
    await assert.rejects(reading, (error) => {
      return error instanceof ReplicaFault && error.fault.kind === "late";
    });
    assert.deepEqual(asked(), []);
  });
});
