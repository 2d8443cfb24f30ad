/** Memory on the wire is nobody else's until the wire is done with it, however a read ends. */

import assert from "node:assert/strict";
import { Status } from "nice-grpc";
import { ReadWire, SendMemory, type WireStream } from "../../src/grpc/read-wire.js";
import { limits } from "../../src/limits.js";

/** A stream whose messages are taken one by one, when a test says so. */
function slowStream() {
  const waiting: { bytes: Uint8Array; onSent: (error?: Error | null) => void }[] = [];
  const state: { destroyed: boolean; writableEnded: boolean } = {
    destroyed: false,
    writableEnded: false,
  };
  const write: WireStream["write"] = (bytes, onSent) => waiting.push({ bytes, onSent });
  const stream = Object.assign(state, { write });
  return { stream, waiting };
}

function opened() {
  const { stream, waiting } = slowStream();
  const memory = new SendMemory();
  const left = new AbortController();
  let takenCount = 0;
  const onTaken = () => takenCount++;
  const wire = new ReadWire(stream, { memory, signal: left.signal, onTaken });
  return { stream, waiting, memory, left, wire, takenCount: () => takenCount };
}

/** Makes a chunk of one byte value in the wire's room, and sends it. */
function send(wire: ReadWire, value: number): { isOver: boolean; readonly over: Promise<void> } {
  const room = wire.room(100);
  room.fill(value);
  const over = wire.send({ offset: 0, bytes: room });
  const sending = { isOver: false, over };
  over.then(
    () => {
      sending.isOver = true;
    },
    () => {},
  );
  return sending;
}

const settled = () => new Promise((resolve) => setImmediate(resolve));
const isCancelled = (error: unknown) =>
  error instanceof Error && "code" in error && error.code === Status.CANCELLED;

describe("the wire of a read", () => {
  it("has one message on its way and one behind it, never more", async () => {
    const { wire, waiting, takenCount } = opened();
    await send(wire, 1).over;
    const second = send(wire, 2);
    await settled();
    assert.deepEqual([second.isOver, waiting.length, takenCount()], [false, 2, 0]);
    waiting[0]?.onSent();
    await second.over;
    assert.equal(takenCount(), 1);
  });

  it("a message stands unchanged until it was taken", async () => {
    const { wire, waiting } = opened();
    await send(wire, 1).over;
    const second = send(wire, 2);
    assert.deepEqual(
      waiting.map(({ bytes }) => bytes.at(-1)),
      [1, 2],
    );
    waiting[0]?.onSent();
    await second.over;
    const third = send(wire, 3);
    assert.deepEqual(
      waiting.slice(1).map(({ bytes }) => bytes.at(-1)),
      [2, 3],
    );
    waiting[1]?.onSent();
    await third.over;
  });

  it("hands its memory on once everything was taken", async () => {
    const { wire, waiting, memory } = opened();
    await send(wire, 1).over;
    const mine = waiting[0]?.bytes.buffer;
    wire.end();
    await settled();
    assert.notEqual(memory.take().room(1).buffer, mine);
    waiting[0]?.onSent();
    await settled();
    const handedOn = [memory.take().room(1).buffer, memory.take().room(1).buffer];
    assert.ok(handedOn.some((buffer) => buffer === mine));
  });

  it("memory of a message that was cut off is handed to nobody", async () => {
    const { wire, waiting, memory } = opened();
    await send(wire, 1).over;
    const second = send(wire, 2);
    waiting[0]?.onSent(new Error("reset"));
    await assert.rejects(second.over, isCancelled);
    waiting[1]?.onSent(new Error("reset"));
    wire.end();
    await settled();
    const mine = waiting.map(({ bytes }) => bytes.buffer);
    assert.ok(!mine.includes(memory.take().room(1).buffer));
  });

  it("ends with its call, although nobody takes or refuses what was sent", async () => {
    const { wire, waiting, left, memory, takenCount } = opened();
    await send(wire, 1).over;
    const second = send(wire, 2);
    left.abort();
    await assert.rejects(second.over, isCancelled);
    wire.end();
    waiting[0]?.onSent();
    waiting[1]?.onSent();
    await settled();
    const mine = waiting.map(({ bytes }) => bytes.buffer);
    assert.ok(!mine.includes(memory.take().room(1).buffer));
    assert.equal(takenCount(), 0);
  });

  for (const state of ["destroyed", "writableEnded"] as const) {
    it(`writes nothing to a stream that is ${state}`, async () => {
      const { wire, stream, waiting } = opened();
      stream[state] = true;
      await send(wire, 1).over;
      await assert.rejects(send(wire, 2).over, isCancelled);
      assert.equal(waiting.length, 0);
    });
  }

  it("so much real memory is kept for later reads, however many there were", () => {
    for (const [bytes, count] of [
      [limits.chunkBytes, limits.sendBytes / limits.chunkBytes - 1],
      [limits.firstChunkBytes, 200],
    ] as const) {
      const memory = new SendMemory();
      const many = Array.from({ length: 200 }, () => memory.take());
      for (const each of many) each.room(bytes);
      for (let time = 0; time < 2; time++) {
        for (const each of many) memory.give(each);
        const kept = many.map(() => memory.take()).filter((each) => many.includes(each));
        assert.equal(kept.length, count);
      }
    }
  });

  it("what waits to be sent is bounded, however many reads there are", () => {
    const memory = new SendMemory();
    for (const reads of [1, 10, 64, 100, 256, 1000]) {
      memory.reads = reads;
      assert.ok(2 * reads * memory.share <= limits.sendBytes, `${reads} reads`);
    }
  });
});
