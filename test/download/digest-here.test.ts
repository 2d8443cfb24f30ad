import assert from "node:assert/strict";
import { digestHere } from "../../src/download/digest-here.js";
import { limits } from "../../src/limits.js";
import { digestOf } from "../../src/trust/digest.js";
import { madeUp } from "../support/made-up.js";

const step = limits.hashReadBytes;
const onProgress = () => {};
const { signal } = new AbortController();

/** Bytes that are read a turn later, and what was read of them. */
class SlowSink {
  readonly bytes: Uint8Array;
  readonly reads: number[] = [];
  fails: Error | undefined;
  running = 0;

  constructor(bytes: Uint8Array) {
    this.bytes = bytes;
  }

  async read(offset: number, buffer: Uint8Array): Promise<number> {
    this.running++;
    await turn();
    this.running--;
    if (this.fails !== undefined) throw this.fails;
    const read = this.bytes.subarray(offset, offset + buffer.length);
    buffer.set(read);
    this.reads.push(read.length);
    return read.length;
  }
}

const turn = () => new Promise((resolve) => setImmediate(resolve));

async function turns(count: number): Promise<void> {
  for (let index = 0; index < count; index++) await turn();
}

describe("digestHere", () => {
  it("reads what is in place while more comes, and nothing that is not", async () => {
    const bytes = madeUp(3 * step + 17);
    const sink = new SlowSink(bytes.map((byte, index) => (index < 2 * step ? byte : byte ^ 1)));
    await using digest = digestHere(sink, bytes.length);
    digest.reached(2 * step);
    await turns(10);
    assert.deepEqual(sink.reads, [step, step]);
    sink.bytes.set(bytes);
    digest.reached(bytes.length);
    assert.equal(await digest.digest({ onProgress, signal }), digestOf(bytes));
    assert.deepEqual(sink.reads, [step, step, step, 17]);
  });

  it("waits until a whole step is there, but for the last one", async () => {
    const sink = new SlowSink(madeUp(step + 100));
    await using digest = digestHere(sink, step + 100);
    digest.reached(step - 1);
    await turns(3);
    assert.deepEqual(sink.reads, []);
    digest.reached(step);
    await turns(3);
    assert.deepEqual(sink.reads, [step]);
    digest.reached(step + 100);
    await turns(3);
    assert.deepEqual(sink.reads, [step, 100]);
  });

  it("reads one step at a time, however often it is told", async () => {
    const bytes = madeUp(4 * step);
    const sink = new SlowSink(bytes);
    await using digest = digestHere(sink, bytes.length);
    for (let index = 1; index <= 4; index++) digest.reached(index * step);
    const whole = digest.digest({ onProgress, signal });
    assert.equal(sink.running, 1);
    assert.equal(await whole, digestOf(bytes));
    assert.deepEqual(sink.reads, [step, step, step, step]);
  });

  it("tells how far it is: first what was read before it was asked for", async () => {
    const sink = new SlowSink(madeUp(2 * step + 1));
    await using digest = digestHere(sink, 2 * step + 1);
    digest.reached(step);
    await turns(3);
    const told: number[] = [];
    await digest.digest({ onProgress: (bytes) => told.push(bytes), signal });
    assert.deepEqual(told, [step, 2 * step, 2 * step + 1]);
  });

  it("says what reading failed with, once the digest is asked for", async () => {
    const sink = new SlowSink(madeUp(2 * step));
    sink.fails = new Error("a dying disk");
    await using digest = digestHere(sink, 2 * step);
    digest.reached(step);
    await turns(3);
    await assert.rejects(digest.digest({ onProgress, signal }), /a dying disk/);
  });

  it("ends with an abort between two reads", async () => {
    const sink = new SlowSink(madeUp(3 * step));
    await using digest = digestHere(sink, 3 * step);
    const abort = new AbortController();
    const reason = new Error("enough");
    const request = { onProgress: () => abort.abort(reason), signal: abort.signal };
    await assert.rejects(digest.digest(request), (error) => error === reason);
    assert.deepEqual(sink.reads, [step]);
  });

  it("once it is let go, nothing reads any more", async () => {
    const sink = new SlowSink(madeUp(3 * step));
    const digest = digestHere(sink, 3 * step);
    digest.reached(3 * step);
    await digest[Symbol.asyncDispose]();
    assert.equal(sink.running, 0);
    assert.deepEqual(sink.reads, [step]);
    digest.reached(3 * step);
    await turns(3);
    assert.deepEqual(sink.reads, [step]);
  });
});
