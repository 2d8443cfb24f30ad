/** A file that is handed on in order while it is fetched in any. */

import assert from "node:assert/strict";
import { download } from "../../src/download/download.js";
import type { DownloadOptions } from "../../src/download/options.js";
import { OrderedOutput, type Take } from "../../src/download/ordered-output.js";
import { IntegrityError } from "../../src/errors.js";
import type { Replica } from "../../src/ports.js";
import { digestOf } from "../../src/trust/digest.js";
import type { Manifest } from "../../src/trust/manifest.js";
import { Link } from "../simulation/link.js";
import { steady } from "../simulation/shapes.js";
import { simulatedReplica } from "../simulation/simulated-replica.js";
import { altered, corruptAt } from "../support/broken-replica.js";
import { replaced } from "../support/changing-replica.js";
import { madeUp } from "../support/made-up.js";
import { manifestOfBytes, memoryReplica } from "../support/memory-replica.js";
import { VirtualClock } from "../support/virtual-clock.js";
import { type ByLetter, replicasOf } from "./small-download.js";

const name = "file.bin";
const pieceBytes = 64 * 1024;
/** Two hundred pieces, the last of them short. */
const content = madeUp(200 * pieceBytes - 123);
const honest = memoryReplica({ [name]: content });
const windowBytes = 16 * pieceBytes;

/** One download in virtual time, and what its reader got. */
class Stream {
  readonly clock = new VirtualClock();
  readonly taken: Buffer[] = [];
  mostHeldBytes = 0;
  /** What the reader does with a piece before it wants the next one. */
  read: Take = async () => {};

  replica(megabytes: number, bytes: Uint8Array = content, like: Replica = honest): Replica {
    const link = new Link(steady(megabytes));
    const behaviour = { latencyMs: 5, link, chunkBytes: pieceBytes, content: bytes };
    return simulatedReplica(like, behaviour, this.clock);
  }

  async run(byLetter: ByLetter, options: DownloadOptions = {}) {
    const output = new OrderedOutput(
      name,
      async (bytes) => {
        await this.read(bytes);
        this.taken.push(Buffer.from(bytes));
      },
      windowBytes,
    );
    const openPartial = async (manifest: Manifest) => {
      const partial = output.open(manifest);
      const { sink } = partial;
      const write = async (offset: number, bytes: Uint8Array) => {
        await sink.write(offset, bytes);
        this.mostHeldBytes = Math.max(this.mostHeldBytes, partial.heldBytes());
      };
      return { ...partial, sink: { ...sink, write } };
    };
    const world = { clock: this.clock, random: () => 0.5, openPartial };
    return download({ name, replicas: replicasOf(byLetter) }, world, options);
  }

  get bytes(): Buffer {
    return Buffer.concat(this.taken);
  }
}

describe("an ordered output", function () {
  this.timeout(60_000);

  it("gets every byte in order, from all replicas", async () => {
    const stream = new Stream();
    const byLetter = { a: stream.replica(10), b: stream.replica(20), c: stream.replica(5) };
    const { replicas, digest, path } = await stream.run(byLetter);
    assert.ok(content.equals(stream.bytes));
    assert.equal(digest, digestOf(content));
    assert.equal(path, "-");
    for (const { deliveredBytes } of replicas) assert.ok(deliveredBytes > 0);
  });

  it("of an empty file gets nothing, and that is right", async () => {
    const stream = new Stream();
    const { size } = await stream.run({ a: memoryReplica({ [name]: new Uint8Array() }) });
    assert.equal(size, 0);
    assert.equal(stream.bytes.length, 0);
  });

  it("holds no more than its window while a slow replica has the frontier", async () => {
    const stream = new Stream();
    const byLetter = { a: stream.replica(0.1), b: stream.replica(50), c: stream.replica(50) };
    await stream.run(byLetter);
    assert.ok(content.equals(stream.bytes));
    assert.ok(stream.mostHeldBytes > 2 * pieceBytes, `${stream.mostHeldBytes} bytes were held`);
    assert.ok(stream.mostHeldBytes <= windowBytes, `${stream.mostHeldBytes} bytes were held`);
  });

  it("that sleeps for minutes costs no memory, and nobody is punished for it", async () => {
    const stream = new Stream();
    stream.read = async () => {
      if (stream.taken.length === 3) await stream.clock.sleep(200_000);
      await stream.clock.sleep(10);
    };
    const byLetter = { a: stream.replica(10), b: stream.replica(20), c: stream.replica(5) };
    const { replicas } = await stream.run(byLetter);
    assert.ok(content.equals(stream.bytes));
    assert.ok(stream.mostHeldBytes <= windowBytes, `${stream.mostHeldBytes} bytes were held`);
    for (const { standing, faults, address } of replicas) {
      assert.deepEqual({ address, standing, faults }, { address, standing: "good", faults: {} });
    }
  });

  it("ends the download with what its reader fails with", async () => {
    const stream = new Stream();
    const gone = new Error("the reader is gone");
    stream.read = async () => {
      if (stream.taken.length === 2) throw gone;
    };
    const byLetter = { a: stream.replica(1), b: stream.replica(1) };
    await assert.rejects(stream.run(byLetter), (error) => error === gone);
    assert.equal(stream.taken.length, 2);
    assert.ok(stream.clock.now() < 10_000, `it took ${stream.clock.now()} ms`);
  });

  it("ends with the signal though its reader takes nothing", async () => {
    const stream = new Stream();
    const abort = new AbortController();
    const reason = new Error("enough");
    stream.read = () => new Promise(() => {});
    setTimeout(() => abort.abort(reason), 20);
    const small = memoryReplica({ [name]: content.subarray(0, pieceBytes) });
    const run = stream.run({ a: small }, { signal: abort.signal });
    await assert.rejects(run, (error) => error === reason);
  });

  it("never gets a byte of a corrupt piece", async () => {
    const stream = new Stream();
    const corrupt = corruptAt(honest, 0);
    const { replicas } = await stream.run({ a: corrupt, b: corrupt, c: honest });
    assert.ok(content.equals(stream.bytes));
    assert.ok(
      replicas.some(({ faults }) => (faults.corrupt ?? 0) > 0),
      "a corrupt piece came",
    );
  });

  it("whose whole digest is wrong in the end is not to be trusted, and says so", async () => {
    const stream = new Stream();
    const { size, root } = manifestOfBytes(content);
    const other = { size, digest: digestOf(Buffer.from("other")), root };
    const lying = altered(honest, {
      claim: async () => ({ name, claim: other, version: "1" }),
      pieces: (request, call) => honest.pieces({ ...request, ifDigest: undefined }, call),
      read: (request, call) => honest.read({ ...request, ifDigest: undefined }, call),
    });
    await assert.rejects(stream.run({ a: lying, b: lying }), (error) => {
      return error instanceof IntegrityError && /is not to be trusted$/.test(error.message);
    });
  });

  it("ends at once when the quorum is lost behind what it has: asking again would come too late", async () => {
    const stream = new Stream();
    const changing = (seed: number) => {
      const next = madeUp(content.length, seed);
      const after = stream.replica(1, next, memoryReplica({ [name]: next }));
      return replaced(stream.replica(1), after, () => stream.taken.length > 20);
    };
    const events: string[] = [];
    const run = stream.run(
      { a: changing(2), b: changing(3), c: stream.replica(1) },
      { onEvent: ({ event }) => events.push(event) },
    );
    await assert.rejects(run, (error) => {
      return error instanceof IntegrityError && /is not to be trusted$/.test(error.message);
    });
    assert.ok(content.subarray(0, stream.bytes.length).equals(stream.bytes));
    assert.ok(!events.includes("asked-again"), events.join());
  });

  it("is not opened again once bytes left under another agreement", async () => {
    const output = new OrderedOutput(name, async () => {});
    const manifest = manifestOfBytes(content);
    const first = output.open(manifest);
    await first[Symbol.asyncDispose]();
    const second = output.open(manifest);
    await second.sink.write(0, content.subarray(0, pieceBytes));
    assert.throws(() => output.open(manifest), IntegrityError);
  });

  it("takes a piece once, and only when all before it are there", async () => {
    const taken: number[] = [];
    const { sink, heldBytes } = new OrderedOutput(name, async ({ length }) => {
      taken.push(length);
    }).open(manifestOfBytes(content));
    const piece = (index: number) =>
      sink.write(
        index * pieceBytes,
        content.subarray(index * pieceBytes, (index + 1) * pieceBytes),
      );
    await piece(1);
    await piece(1);
    assert.equal(sink.handoff?.takenBytes(), 0);
    await piece(0);
    await piece(0);
    await new Promise((resolve) => setImmediate(resolve));
    assert.deepEqual(taken, [pieceBytes, pieceBytes]);
    assert.equal(sink.handoff?.takenBytes(), 2 * pieceBytes);
    assert.equal(sink.handoff?.isWaiting(), false);
    await piece(0);
    assert.equal(heldBytes(), 0);
  });
});
