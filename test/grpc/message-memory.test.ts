/** A message that is made in place is, byte for byte, what gRPC and Protobuf-ES would send. */

import assert from "node:assert/strict";
import { create, toBinary } from "@bufbuild/protobuf";
import { ReadRangeResponseSchema } from "../../gen/quorate/v1/replica_pb.js";
import { headerOf, MessageMemory } from "../../src/grpc/message-memory.js";
import { madeUp } from "../support/made-up.js";
import { framed } from "../support/raw-grpc.js";

function expected(offset: number, data: Uint8Array): Buffer {
  const message = create(ReadRangeResponseSchema, { offset: BigInt(offset), data });
  return framed(Buffer.from(toBinary(ReadRangeResponseSchema, message)));
}

describe("the header of a message", () => {
  const offsets = [0n, 1n, 127n, 128n, 2n ** 32n, 2n ** 50n, 2n ** 63n];
  for (const offset of offsets) {
    it(`at offset ${offset} is written as Protobuf-ES writes it`, () => {
      for (const size of [0, 1, 127, 128, 65_536, 300_000]) {
        const data = madeUp(size);
        const message = create(ReadRangeResponseSchema, { offset, data });
        const whole = Buffer.concat([headerOf(offset, size), data]);
        assert.ok(whole.equals(toBinary(ReadRangeResponseSchema, message)), `${size} bytes`);
      }
    });
  }
});

describe("the memory of a message", () => {
  it("holds what was put into its room, one chunk after the other", () => {
    const memory = new MessageMemory(70_000);
    for (const [offset, size] of [
      [0, 1],
      [1, 70_000],
      [70_001, 127],
      [2 ** 40, 128],
      [2 ** 50, 65_536],
    ] as const) {
      const data = madeUp(size);
      const room = memory.room(size);
      room.set(data);
      assert.ok(expected(offset, data).equals(memory.framed({ offset, bytes: room })));
    }
  });

  it("a chunk in its room is not copied", () => {
    const memory = new MessageMemory(1000);
    const room = memory.room(1000);
    const message = memory.framed({ offset: 7, bytes: room });
    room.fill(9);
    assert.ok(expected(7, room).equals(message));
  });

  it("what lies elsewhere, or is a part of its room only, is copied there", () => {
    const memory = new MessageMemory(1000);
    const data = madeUp(500);
    assert.ok(expected(7, data).equals(memory.framed({ offset: 7, bytes: data })));
    const room = memory.room(500);
    room.set(data);
    const part = room.subarray(100, 500);
    const message = memory.framed({ offset: 400, bytes: part });
    assert.ok(expected(400, data.subarray(100)).equals(message));
  });

  it("a beginning of its room is a chunk, too", () => {
    const memory = new MessageMemory(1000);
    const room = memory.room(500);
    room.set(madeUp(500));
    const message = memory.framed({ offset: 3, bytes: room.subarray(0, 200) });
    assert.ok(expected(3, madeUp(500).subarray(0, 200)).equals(message));
  });

  it("a chunk beyond the bound is refused, not cut", () => {
    const memory = new MessageMemory(1000);
    assert.throws(() => memory.framed({ offset: 0, bytes: madeUp(1001) }), /1001 bytes/);
  });
});
