/** The fast way of writing ReadRangeResponse gives the very bytes of Protobuf-ES's own. */

import assert from "node:assert/strict";
import { create, toBinary } from "@bufbuild/protobuf";
import { ReadRangeResponseSchema } from "../../gen/quorate/v1/replica_pb.js";
import { encodeReadRangeResponse } from "../../src/grpc/codec.js";
import { madeUp } from "../support/made-up.js";

describe("codec", () => {
  const offsets = [0n, 1n, 127n, 128n, 2n ** 32n, 2n ** 50n, 2n ** 64n - 1n];
  const sizes = [0, 1, 127, 128, 65_536, 300_000];
  for (const offset of offsets) {
    it(`offset ${offset} with any number of bytes is written as Protobuf-ES writes it`, () => {
      for (const size of sizes) {
        const message = create(ReadRangeResponseSchema, { offset, data: madeUp(size) });
        const expected = toBinary(ReadRangeResponseSchema, message);
        assert.ok(encodeReadRangeResponse(message).equals(expected), `${size} bytes`);
      }
    });
  }
  it("is memory of its own, or the ArrayBuffer behind it would hold more than the message", () => {
    const message = create(ReadRangeResponseSchema, { offset: 5n, data: madeUp(10) });
    const encoded = encodeReadRangeResponse(message);
    assert.equal(encoded.buffer.byteLength, encoded.length);
  });
});
