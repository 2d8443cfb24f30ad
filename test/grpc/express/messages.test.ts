/** Messages give the bytes of a range wherever they are cut; another message than due does not. */

import assert from "node:assert/strict";
import { create, toBinary } from "@bufbuild/protobuf";
import fc from "fast-check";
import { ReadRangeResponseSchema } from "../../../gen/quorate/v1/replica_pb.js";
import { Unexpected } from "../../../src/grpc/express/frames.js";
import { MessageReader, prefixed } from "../../../src/grpc/express/messages.js";
import { madeUp } from "../../support/made-up.js";
import { seed } from "../../support/seeded.js";

const content = madeUp(200_000);

function message(offset: number, bytes: number): Buffer {
  const data = content.subarray(offset % 1000, (offset % 1000) + bytes);
  const response = create(ReadRangeResponseSchema, { offset: BigInt(offset), data });
  return prefixed(toBinary(ReadRangeResponseSchema, response));
}

/** The data in these parts, and the offset after the last of them. */
function readIn(range: { start: number; end: number }, parts: readonly Buffer[]) {
  const reader = new MessageReader(range);
  const found: Buffer[] = [];
  for (const part of parts) {
    let at = reader.head(part, 0, part.length);
    while (at < part.length) {
      const taken = Math.min(part.length - at, reader.dataLeft);
      found.push(part.subarray(at, at + taken));
      reader.took(taken);
      at = reader.head(part, at + taken, part.length);
    }
  }
  return { data: Buffer.concat(found), next: reader.next };
}

describe("messages of an express read", () => {
  // Lengths at which the number of bytes that say them changes, and offsets likewise.
  const lengths = [1, 2, 126, 127, 128, 129, 16_383, 16_384, 16_385, 100_000];
  const offsets = [0, 1, 127, 128, 2 ** 31, 2 ** 32, 2 ** 49];
  for (const start of offsets) {
    it(`of any length are read at offset ${start}`, () => {
      for (const length of lengths) {
        const range = { start, end: start + length };
        const { data, next } = readIn(range, [message(start, length)]);
        assert.equal(next, range.end);
        assert.ok(data.equals(content.subarray(start % 1000, (start % 1000) + length)));
      }
    });
  }

  it("give the same in parts of any size", () => {
    const cases = fc.record({
      start: fc.integer({ min: 0, max: 2 ** 40 }),
      lengths: fc.array(fc.integer({ min: 1, max: 300 }), { minLength: 1, maxLength: 8 }),
      cuts: fc.array(fc.integer({ min: 1, max: 70 }), { minLength: 1 }),
    });
    fc.assert(
      fc.property(cases, ({ start, lengths, cuts }) => {
        let offset = start;
        const messages = lengths.map((length) => {
          const bytes = message(offset, length);
          offset += length;
          return bytes;
        });
        const bytes = Buffer.concat(messages);
        const parts: Buffer[] = [];
        for (let at = 0, turn = 0; at < bytes.length; turn++) {
          const size = cuts[turn % cuts.length] ?? 1;
          parts.push(bytes.subarray(at, at + size));
          at += size;
        }
        const range = { start, end: offset };
        const read = readIn(range, parts);
        assert.equal(read.next, offset);
        assert.ok(read.data.equals(readIn(range, messages).data));
        assert.equal(read.data.length, offset - start);
      }),
      { seed },
    );
  });

  const hex = (text: string) => Buffer.from(text.replaceAll(" ", ""), "hex");
  const strange: readonly (readonly [what: string, bytes: Buffer])[] = [
    ["at another offset", message(1001, 10)],
    ["with more than is left", message(1000, 101)],
    ["without anything", prefixed(Buffer.alloc(0))],
    ["without data", message(1000, 0)],
    ["that is compressed", hex("01 00000005 08e807 1201 41")],
    ["of 4 GiB", hex("00 ffffffff 08")],
    ["of 1 GiB", hex("00 40000000 08")],
    ["with data first", hex("00 00000006 1201 41 08e807")],
    ["with a field that nobody knows", hex("00 00000008 08e807 1801 1201 41")],
    ["whose data end before it does", hex("00 00000007 08e807 1201 41 42")],
    ["whose data go beyond it", hex("00 00000006 08e807 1205 41")],
    ["of garbage", prefixed(Buffer.alloc(50, 0xff))],
  ];
  for (const [what, bytes] of strange) {
    it(`one ${what} is unexpected`, () => {
      assert.throws(() => readIn({ start: 1000, end: 1100 }, [bytes]), Unexpected);
    });
  }
  it("one that is due is not", () => {
    assert.equal(readIn({ start: 1000, end: 1100 }, [message(1000, 100)]).next, 1100);
    assert.equal(
      readIn({ start: 1000, end: 1100 }, [hex("00 00000006 08e807 1201 41")]).next,
      1001,
    );
  });
  it("nothing may come behind the last one", () => {
    const range = { start: 1000, end: 1100 };
    assert.throws(() => readIn(range, [message(1000, 100), message(1100, 1)]), Unexpected);
  });
  it("one larger than any that we take is unexpected, whatever is asked for", () => {
    const head = Buffer.alloc(5);
    head.writeUInt32BE(4 * 1024 * 1024 + 100, 1);
    assert.throws(() => readIn({ start: 0, end: 2 ** 40 }, [head]), Unexpected);
  });
});
