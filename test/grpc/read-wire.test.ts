/** Memory on the wire is nobody else's until the wire is done with it, however a read ends. */

import assert from "node:assert/strict";
import { Status } from "nice-grpc";
import { ReadWire, SpareMemory, type WireStream } from "../../src/grpc/read-wire.js";

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
  const spare = new SpareMemory();
  const left = new AbortController();
  let takenCount = 0;
  const onTaken = () => takenCount++;
  const wire = new ReadWire(stream, { spare, signal: left.signal, onTaken });
  return { stream, waiting, spare, left, wire, takenCount: () => takenCount };
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
    const { wire, waiting, spare } = opened();
    await send(wire, 1).over;
    const mine = waiting[0]?.bytes.buffer;
    wire.end();
    await settled();
    assert.notEqual(spare.take().room(1).buffer, mine);
    waiting[0]?.onSent();
    await settled();
    const handedOn = [spare.take().room(1).buffer, spare.take().room(1).buffer];
    assert.ok(handedOn.some((buffer) => buffer === mine));
  });

  it("memory of a message that was cut off is handed to nobody", async () => {
    const { wire, waiting, spare } = opened();
    await send(wire, 1).over;
    const second = send(wire, 2);
    waiting[0]?.onSent(new Error("reset"));
    await assert.rejects(second.over, isCancelled);
    waiting[1]?.onSent(new Error("reset"));
    wire.end();
    await settled();
    const mine = waiting.map(({ bytes }) => bytes.buffer);
    assert.ok(!mine.includes(spare.take().room(1).buffer));
  });

  it("ends with its call, although nobody takes or refuses what was sent", async () => {
    const { wire, waiting, left, spare, takenCount } = opened();
    await send(wire, 1).over;
    const second = send(wire, 2);
    left.abort();
    await assert.rejects(second.over, isCancelled);
    wire.end();
    waiting[0]?.onSent();
    waiting[1]?.onSent();
    await settled();
    const mine = waiting.map(({ bytes }) => bytes.buffer);
    assert.ok(!mine.includes(spare.take().room(1).buffer));
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

  it("a server keeps the memory of a few reads only", () => {
    const spare = new SpareMemory();
    const many = Array.from({ length: 100 }, () => spare.take());
    for (const memory of many) spare.give(memory);
    const kept = new Set(many.map(() => spare.take()).filter((memory) => many.includes(memory)));
    assert.ok(kept.size > 0 && kept.size < 20, `${kept.size}`);
  });
});
