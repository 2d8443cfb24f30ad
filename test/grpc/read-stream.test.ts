/** Whose bytes go where, when messages are written to streams that a header line names. */

import assert from "node:assert/strict";
import { Metadata } from "nice-grpc";
import { SendMemory } from "../../src/grpc/read-wire.js";
import { all, wires } from "../serve/wire.js";
import { madeUp } from "../support/made-up.js";
import { memoryReplica } from "../support/memory-replica.js";

const data = madeUp(200_000);
const honest = memoryReplica({ "a.bin": data }, 30_000);

describe("the stream of a read", () => {
  const { listen, connect } = wires();

  it("is the client's own, whatever stream it names, and nobody else's", async () => {
    const port = await listen(honest);
    const other = connect(port).readRange({ offset: 100_000n })[Symbol.asyncIterator]();
    const first = (await other.next()).value;
    for (const stream of ["0", "1", "2", "x"]) {
      const metadata = Metadata({ "quorate-stream": stream });
      const chunks = await all(connect(port).readRange({}, { metadata }));
      const bytes = Buffer.concat(chunks.map((chunk) => chunk.data));
      assert.ok(bytes.equals(data), stream);
    }
    const rest = await all({ [Symbol.asyncIterator]: () => other });
    const bytes = Buffer.concat([first, ...rest].map((chunk) => chunk?.data ?? Buffer.alloc(0)));
    assert.ok(bytes.equals(data.subarray(100_000)));
  });

  it("has its first message, too, in memory that later reads use again", async () => {
    const memory = new SendMemory();
    const port = await listen(honest, { memory });
    const [chunk, ...more] = await all(connect(port).readRange({ length: 1000n }));
    assert.ok(chunk?.data.every((byte, index) => byte === data[index]));
    assert.deepEqual([chunk?.data.length, more.length], [1000, 0]);
    assert.ok(memory.take().reachedBytes > 1000);
  });
});
