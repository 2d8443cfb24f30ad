/** Frames are read the same wherever the bytes are cut, and what is not known ends the reading. */

import assert from "node:assert/strict";
import fc from "fast-check";
import {
  FrameReader,
  type FrameTaker,
  frame,
  frameKind,
  Unexpected,
} from "../../../src/grpc/express/frames.js";
import { seed } from "../../support/seeded.js";

type Seen = readonly (string | number)[];

/** Notes what it is told; data of one frame as one, however it came. */
class Notes implements FrameTaker {
  readonly seen: Seen[] = [];
  #data: Buffer[] = [];

  begin(stream: number, bytes: number): void {
    this.seen.push(["begin", stream, bytes]);
  }
  data(stream: number, bytes: Buffer, from: number, to: number): void {
    assert.ok(from < to);
    this.#data.push(Buffer.from(bytes.subarray(from, to)));
    assert.ok(stream > 0);
  }
  end(kind: number, flags: number, stream: number, payload: Buffer): void {
    const content = kind === frameKind.data ? Buffer.concat(this.#data) : payload;
    this.seen.push(["end", kind, flags, stream, content.toString("hex")]);
    this.#data = [];
  }
}

const settings = frame(frameKind.settings, 0, 0, Buffer.from([0, 3, 0, 0, 0, 100]));

function readIn(parts: readonly Buffer[]): readonly Seen[] {
  const notes = new Notes();
  const reader = new FrameReader(notes);
  for (const part of parts) reader.read(part, part.length);
  return notes.seen;
}

function isUnexpected(...frames: readonly Buffer[]): boolean {
  try {
    readIn([settings, ...frames]);
    return false;
  } catch (error) {
    if (error instanceof Unexpected) return true;
    throw error;
  }
}

const script = Buffer.concat([
  settings,
  frame(frameKind.windowUpdate, 0, 0, Buffer.from([0, 1, 0, 0])),
  frame(frameKind.headers, 4, 1, Buffer.alloc(21, 0x88)),
  frame(frameKind.data, 0, 1, Buffer.from("of the first")),
  frame(frameKind.data, 0, 3, Buffer.from("of the third")),
  frame(frameKind.data, 1, 1, Buffer.alloc(0)),
  frame(frameKind.ping, 0, 0, Buffer.from("12345678")),
  frame(0x77, 0xff, 5, Buffer.from("nobody knows this kind")),
  frame(frameKind.reset, 0, 3, Buffer.from([0, 0, 0, 7])),
  frame(frameKind.goAway, 0, 0, Buffer.from("........and why")),
  frame(frameKind.headers, 5, 5, Buffer.alloc(0)),
]);

describe("frames of an express connection", () => {
  const whole = readIn([script]);

  it("are told with kind, flags, stream, and what they hold", () => {
    assert.deepEqual(whole.slice(3, 6), [
      ["begin", 1, 12],
      ["end", 0, 0, 1, Buffer.from("of the first").toString("hex")],
      ["begin", 3, 12],
    ]);
    assert.deepEqual(whole[9]?.slice(0, 4), ["end", frameKind.ping, 0, 0]);
    assert.equal(whole[9]?.[4], Buffer.from("12345678").toString("hex"));
    assert.equal(whole.length, 14);
  });

  it("are the same cut in two at every byte, and byte by byte", () => {
    for (let at = 0; at <= script.length; at++) {
      assert.deepEqual(readIn([script.subarray(0, at), script.subarray(at)]), whole);
    }
    assert.deepEqual(readIn([...script].map((byte) => Buffer.from([byte]))), whole);
  });

  it("are the same in parts of any size", () => {
    const anyFrame = fc
      .record({
        kind: fc.constantFrom(0, 1, 2, 3, 4, 8, 11, 200),
        flags: fc.constantFrom(4, 5),
        stream: fc.integer({ min: 1, max: 0x7fff_ffff }),
        payload: fc.uint8Array({ maxLength: 300 }),
      })
      .map(({ kind, flags, stream, payload }) => frame(kind, flags, stream, payload));
    const sizes = fc.array(fc.integer({ min: 1, max: 90 }), { minLength: 1 });
    fc.assert(
      fc.property(fc.array(anyFrame, { maxLength: 20 }), sizes, (frames, cuts) => {
        const bytes = Buffer.concat([settings, ...frames]);
        const parts: Buffer[] = [];
        for (let at = 0, turn = 0; at < bytes.length; turn++) {
          const size = cuts[turn % cuts.length] ?? 1;
          parts.push(bytes.subarray(at, at + size));
          at += size;
        }
        assert.deepEqual(readIn(parts), readIn([bytes]));
      }),
      { seed },
    );
  });

  it("only the first bytes of a buffer count, as many as came", () => {
    const notes = new Notes();
    new FrameReader(notes).read(Buffer.concat([settings, Buffer.alloc(50, 0xff)]), settings.length);
    assert.equal(notes.seen.length, 1);
  });

  const huge = frame(frameKind.data, 0, 1, Buffer.alloc(16_385));
  const strange: readonly (readonly [what: string, bytes: Buffer])[] = [
    ["longer than we offered", huge],
    ["of 16 MiB, at its head", Buffer.from([0xff, 0xff, 0xff, 0, 0, 0, 0, 0, 1])],
    ["of an unknown kind, longer than we offered", Buffer.from([1, 0, 0, 99, 0, 0, 0, 0, 1])],
    ["with padding", frame(frameKind.data, 8, 1, Buffer.from([1, 65, 0]))],
    ["of headers that go on in another", frame(frameKind.headers, 0, 1, Buffer.alloc(3))],
    ["of padded headers", frame(frameKind.headers, 12, 1, Buffer.alloc(3))],
    ["of headers with a priority", frame(frameKind.headers, 36, 1, Buffer.alloc(9))],
    ["that continues headers", frame(frameKind.continuation, 4, 1, Buffer.alloc(3))],
    ["that pushes", frame(frameKind.pushPromise, 4, 1, Buffer.alloc(4))],
    ["that pings with 7 bytes", frame(frameKind.ping, 0, 0, Buffer.alloc(7))],
    ["that goes away with 7 bytes", frame(frameKind.goAway, 0, 0, Buffer.alloc(7))],
  ];
  for (const [what, bytes] of strange) {
    it(`one ${what} is unexpected`, () => assert.ok(isUnexpected(bytes)));
  }
  it("as long as we offered is fine", () => {
    assert.ok(!isUnexpected(frame(frameKind.data, 0, 1, Buffer.alloc(16_384))));
  });

  it("the first must be SETTINGS, not what another protocol says", () => {
    for (const said of ["HTTP/1.1 400 Bad Request\r\n", "A".repeat(100), "\u0015\u0003\u0001"]) {
      const bytes = Buffer.from(said.padEnd(9));
      assert.throws(() => readIn([bytes]), Unexpected);
    }
    const ping = frame(frameKind.ping, 0, 0, Buffer.alloc(8));
    assert.throws(() => readIn([ping, settings]), Unexpected);
  });

  it("a flood of those without data ends it; between data they may be many", () => {
    const quiet = [
      frame(frameKind.ping, 0, 0, Buffer.alloc(8)),
      settings,
      frame(frameKind.data, 0, 1, Buffer.alloc(0)),
      frame(frameKind.headers, 4, 1, Buffer.alloc(1)),
      frame(250, 0, 0, Buffer.alloc(0)),
    ];
    const data = frame(frameKind.data, 0, 1, Buffer.alloc(1));
    for (const each of quiet) {
      assert.ok(isUnexpected(...Array.from({ length: 1024 }, () => each)));
      assert.ok(!isUnexpected(...Array.from({ length: 3000 }, () => [each, data]).flat()));
    }
  });
});
