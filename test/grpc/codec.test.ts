/** The fast way of writing ReadRangeResponse gives the very bytes of Protobuf-ES's own. */

import assert from "node:assert/strict";
import { create, toBinary } from "@bufbuild/protobuf";
import { ReadRangeResponseSchema } from "../../gen/quorate/v1/replica_pb.js";
import { encodeReadRangeResponse } from "../../src/grpc/codec.js";
import { ReadMessage } from "../../src/grpc/read-message.js";
import { madeUp } from "../support/made-up.js";

describe("codec", () => {
  const offsets = [0n, 1n, 127n, 128n, 2n ** 32n, 2n ** 50n];
  const sizes = [0, 1, 127, 128, 65_536, 300_000];
  for (const offset of offsets) {
    it(`offset ${offset} with any number of bytes is written as Protobuf-ES writes it`, () => {
      for (const size of sizes) {
        const message = create(ReadRangeResponseSchema, { offset, data: madeUp(size) });
        const expected = toBinary(ReadRangeResponseSchema, message);
        const encoded = Buffer.from(encodeReadRangeResponse(message));
        assert.ok(encoded.equals(expected), `${size} bytes`);
      }
    });
  }
});

describe("a message that is read into", () => {
  const { signal } = new AbortController();
  const bytesOf = (message: ReadMessage) => Buffer.from(message.take());
  const expected = (offset: number, data: Uint8Array) =>
    toBinary(
      ReadRangeResponseSchema,
      create(ReadRangeResponseSchema, { offset: BigInt(offset), data }),
    );

  it("holds what was put into its room, one chunk after the other", () => {
    const message = new ReadMessage(1000);
    for (const [offset, size] of [
      [0, 1],
      [1, 1000],
      [1001, 127],
      [2 ** 40, 128],
    ] as const) {
      const data = madeUp(size);
      const room = message.room(offset, size);
      room.set(data);
      message.fill({ offset, bytes: room });
      assert.deepEqual([message.offset, message.data.length], [BigInt(offset), size]);
      assert.ok(bytesOf(message).equals(expected(offset, data)));
    }
  });

  it("copies what lies elsewhere, or is a part of its room only", () => {
    const message = new ReadMessage(1000);
    const data = madeUp(500);
    assert.ok(bytesOf(message.fill({ offset: 7, bytes: data })).equals(expected(7, data)));
    const room = message.room(300, 500);
    room.set(data);
    const part = room.subarray(100, 300);
    message.fill({ offset: 400, bytes: part });
    assert.ok(bytesOf(message).equals(expected(400, data.subarray(100, 300))));
  });

  it("the end of its room under another offset is not sent with the room's header", () => {
    const message = new ReadMessage(1000);
    const room = message.room(2 ** 20, 500);
    room.set(madeUp(500));
    message.fill({ offset: 5, bytes: room.subarray(2) });
    assert.ok(bytesOf(message).equals(expected(5, madeUp(500).subarray(2))));
    const whole = message.room(5, 500);
    whole.set(madeUp(500));
    message.fill({ offset: 6, bytes: whole });
    assert.ok(bytesOf(message).equals(expected(6, madeUp(500))));
  });

  it("is taken once it is encoded, or its call ends", async () => {
    const message = new ReadMessage(10);
    await message.taken(signal);
    message.fill({ offset: 0, bytes: madeUp(3) });
    let isTaken = false;
    const taken = message.taken(signal).then(() => {
      isTaken = true;
    });
    await Promise.resolve();
    assert.equal(isTaken, false);
    bytesOf(message);
    await taken;
    message.fill({ offset: 3, bytes: madeUp(3) });
    const left = new AbortController();
    const waiting = message.taken(left.signal);
    left.abort(new Error("gone"));
    await assert.rejects(waiting, /gone/);
  });
});
