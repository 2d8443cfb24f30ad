/** A virtual server behind its wire, as any client may treat it: bounds, errors, ends. */

import assert from "node:assert/strict";
import { Metadata, Status } from "nice-grpc";
import { listenReplica } from "../../src/grpc/replica-server.js";
import { limits } from "../../src/limits.js";
import { type Call, type Replica, ReplicaFault } from "../../src/ports.js";
import { boundedReplica, InFlight } from "../../src/serve/bounded-replica.js";
import type { CallRecord } from "../../src/server-ports.js";
import { endlessReads, Tally, untilEnded } from "../serve/endless.js";
import { Deferred, failing } from "../serve/reading.js";
import { all, callsTo, failureOf, wires } from "../serve/wire.js";
import { madeUp } from "../support/made-up.js";
import { manifestOfBytes, memoryReplica } from "../support/memory-replica.js";

const data = madeUp(200_000);
const honest = memoryReplica({ "a.bin": data }, 30_000);
const beyond = 2n ** 63n;

describe("errors of a virtual server", () => {
  const { serving } = wires();
  const faults = [
    [{ kind: "missing" }, Status.NOT_FOUND, "NOT_FOUND"],
    [{ kind: "changed", detail: "" }, Status.FAILED_PRECONDITION, "CHANGED"],
    [{ kind: "denied", detail: "" }, Status.PERMISSION_DENIED, "DENIED"],
    [{ kind: "corrupt", detail: "" }, Status.DATA_LOSS, "UNREADABLE"],
    [{ kind: "busy", retryMs: 2000 }, Status.RESOURCE_EXHAUSTED, "BUSY"],
    [{ kind: "hashing", retryMs: 500, doneBytes: 3, totalBytes: 7 }, Status.UNAVAILABLE, "HASHING"],
  ] as const;
  for (const [fault, code, reason] of faults) {
    it(`${fault.kind} can be read from its details, in every call`, async () => {
      const broken = await serving(failing(new ReplicaFault(fault)));
      for (const calling of callsTo(broken)) {
        const failure = await failureOf(calling);
        assert.deepEqual([failure.code, failure.reason], [code, reason]);
        const seconds = "retryMs" in fault ? fault.retryMs / 1000 : undefined;
        assert.equal(failure.retrySeconds, seconds);
      }
    });
  }

  it("hashing tells how far it is", async () => {
    const fault = { kind: "hashing", retryMs: 500, doneBytes: 3, totalBytes: 7 } as const;
    const hashing = await serving(failing(new ReplicaFault(fault)));
    const { metadata } = await failureOf((options) => hashing.getChecksum({}, options));
    assert.deepEqual(metadata, { done_bytes: "3", total_bytes: "7" });
  });

  it("a missing file is named", async () => {
    const asking = await serving(honest);
    const failure = await failureOf((options) => asking.getSize({ name: "b.bin" }, options));
    assert.equal(failure.resource, "b.bin");
  });

  it("what was not foreseen is INTERNAL, and tells nobody but the operator why", async () => {
    const records: CallRecord[] = [];
    const onCall = (record: CallRecord) => records.push(record);
    const broken = await serving(failing(new TypeError("secret: /etc/shadow")), { onCall });
    for (const calling of callsTo(broken)) {
      const { code, text } = await failureOf(calling);
      assert.equal(code, Status.INTERNAL);
      const reference = /^the server failed \(reference ([0-9a-f]{8})\)$/.exec(text)?.[1];
      const record = records.find((each) => each.reference === reference);
      assert.match(String(record?.cause), /etc\/shadow/);
    }
    assert.equal(new Set(records.map(({ reference }) => reference)).size, 5);
  });

  it("a server goes on after a failure that was not foreseen", async () => {
    let isBroken = true;
    const claim: Replica["claim"] = (name, call) => {
      if (isBroken) throw new RangeError("at once, not as a promise");
      return honest.claim(name, call);
    };
    const asking = await serving({ ...honest, claim });
    const { code } = await failureOf((options) => asking.getChecksum({}, options));
    assert.equal(code, Status.INTERNAL);
    isBroken = false;
    assert.equal((await asking.getChecksum({})).size, 200_000n);
  });
});

describe("numbers that a virtual server is asked for", () => {
  const { serving } = wires();
  type Numbers = readonly (readonly [from: bigint, many: bigint])[];

  const inside: Numbers = [
    [0n, 0n],
    [150_000n, 0n],
    [200_000n, 0n],
    [0n, 1n],
    [199_999n, 1n],
  ];
  for (const [offset, length] of inside) {
    const start = Number(offset);
    const end = length === 0n ? data.length : start + Number(length);
    it(`length ${length} from ${offset} is bytes ${start}–${end}`, async () => {
      const chunks = await all((await serving(honest)).readRange({ offset, length }));
      assert.equal(chunks[0]?.offset, start === end ? undefined : offset);
      const bytes = Buffer.concat(chunks.map((chunk) => chunk.data));
      assert.ok(bytes.equals(data.subarray(start, end)));
    });
  }

  const outside: Numbers = [
    [200_001n, 0n],
    [200_000n, 1n],
    [0n, 200_001n],
    [beyond, 0n],
    [beyond, 1n],
    [0n, beyond],
    [beyond, beyond],
    [2n ** 64n - 1n, 1n],
    [2n ** 50n, 2n ** 50n],
    [2n ** 53n + 1n, 0n],
  ];
  for (const [offset, length] of outside) {
    it(`length ${length} from ${offset} is OUT_OF_RANGE`, async () => {
      const asking = await serving(honest);
      const failure = await failureOf((options) =>
        all(asking.readRange({ offset, length }, options)),
      );
      assert.deepEqual([failure.code, failure.reason], [Status.OUT_OF_RANGE, "OUT_OF_RANGE"]);
    });
  }

  it("a number that no file reaches never comes to the replica", async () => {
    let asked = 0;
    const read: Replica["read"] = (request, call) => {
      asked++;
      return honest.read(request, call);
    };
    const asking = await serving({ ...honest, read });
    const length = 2n ** 50n + 1n;
    await failureOf((options) => all(asking.readRange({ offset: beyond, length: 1n }, options)));
    await failureOf((options) => all(asking.readRange({ length }, options)));
    assert.equal(asked, 0);
  });

  const lists: Numbers = [
    [5n, 0n],
    [0n, 5n],
    [beyond, 0n],
    [0n, beyond],
    [beyond, beyond],
  ];
  for (const [first, count] of lists) {
    it(`${count} pieces from ${first} on are OUT_OF_RANGE`, async () => {
      const asking = await serving(honest);
      const failure = await failureOf((options) =>
        all(asking.listPieces({ first, count }, options)),
      );
      assert.equal(failure.code, Status.OUT_OF_RANGE);
    });
  }

  it("0 pieces are all from the first one on, at most 2048 in a message", async () => {
    // A file of 5000 × 64 KiB has pieces of 128 KiB, so 2500 of them.
    const [digests, prefixes] = [madeUp(2500 * 32), madeUp(2500 * 32).reverse()];
    const part = (list: Buffer, first: number, count: number) =>
      list.subarray(first * 32, (first + count) * 32);
    const listing = await serving({
      ...honest,
      size: async () => ({ name: "a.bin", size: 5000 * 64 * 1024 }),
      pieces: async ({ first, count, withPrefixes }) => ({
        digests: part(digests, first, count),
        ...(withPrefixes ? { prefixes: part(prefixes, first, count) } : {}),
      }),
    });
    const messages = await all(listing.listPieces({ first: 4n }));
    const firsts = messages.map(({ first }) => Number(first));
    assert.deepEqual(firsts, [4, 4 + limits.pieceDigestsPerMessage]);
    const listed = Buffer.concat(messages.map((message) => message.digests));
    assert.ok(listed.equals(digests.subarray(4 * 32)));
    assert.ok(messages.every((message) => message.prefixes.length === 0));
    const both = await all(listing.listPieces({ first: 4n, withPrefixes: true }));
    for (const [index, message] of both.entries()) {
      const [first, count] = [Number(message.first), message.digests.length / 32];
      assert.equal(first, firsts[index]);
      assert.ok(part(prefixes, first, count).equals(Buffer.from(message.prefixes)));
    }
  });

  for (const ifDigest of ["sha256:abc", "md5:abc", "x"]) {
    it(`if_digest ${ifDigest} is INVALID_ARGUMENT`, async () => {
      const asking = await serving(honest);
      const reading = await failureOf((options) => all(asking.readRange({ ifDigest }, options)));
      assert.equal(reading.code, Status.INVALID_ARGUMENT);
      const listing = await failureOf((options) => all(asking.listPieces({ ifDigest }, options)));
      assert.equal(listing.code, Status.INVALID_ARGUMENT);
    });
  }

  it("a claim without pieces names no piece size", async () => {
    const claim = { size: 5, digest: manifestOfBytes(data).digest, root: undefined };
    const bare = { ...honest, claim: async () => ({ name: "a.bin", claim, version: "1" }) };
    const { pieceSize, pieceRoot } = await (await serving(bare)).getChecksum({});
    assert.deepEqual({ pieceSize, pieceRoot }, { pieceSize: 0n, pieceRoot: "" });
  });
});

describe("bounds of a virtual server", () => {
  const { listen, connect, serving } = wires();

  it("a read beyond those in flight is told when to come back, and others end at will", async () => {
    const { replica, begun, ended } = endlessReads();
    const bounds = { reads: limits.readsInFlight, readsPerClient: limits.readsInFlight };
    const port = await listen(boundedReplica(replica, new InFlight(bounds)));
    // A connection takes a hundred streams, so it needs three.
    const clients = [connect(port), connect(port), connect(port)];
    const left = Array.from({ length: limits.readsInFlight }, () => new AbortController());
    const readings = left.map(({ signal }, index) => {
      const reading = clients[index % clients.length]?.readRange({ length: 1n }, { signal });
      return reading === undefined ? undefined : all(reading);
    });
    const over = Promise.allSettled(readings);
    await begun.reaches(limits.readsInFlight);
    const late = connect(port);
    const busy = await failureOf((options) => all(late.readRange({ length: 1n }, options)));
    assert.deepEqual([busy.code, busy.reason], [Status.RESOURCE_EXHAUSTED, "BUSY"]);
    assert.equal(busy.retrySeconds, 1);
    assert.equal(begun.count, limits.readsInFlight, "the replica was not asked");
    assert.equal((await late.getSize({})).size, 200_000n, "other calls are answered");
    for (const reader of left.slice(1)) reader.abort();
    await ended.reaches(limits.readsInFlight - 1);
    const again = late.readRange({ length: 1n })[Symbol.asyncIterator]();
    assert.equal((await again.next()).done, false, "there is room again");
    left[0]?.abort();
    await again.return?.();
    await over;
    await ended.reaches(limits.readsInFlight + 1);
  });

  it("a request above 64 KiB is refused, one just below it is answered", async () => {
    let asked = 0;
    const size: Replica["size"] = (name, call) => {
      asked++;
      return honest.size(name, call);
    };
    const asking = await serving({ ...honest, size });
    const sizeOf = (length: number) =>
      failureOf((options) => asking.getSize({ name: "a".repeat(length) }, options));
    assert.equal((await sizeOf(limits.requestBytes + 1)).code, Status.RESOURCE_EXHAUSTED);
    assert.equal(asked, 0, "it never came to the replica");
    assert.equal((await sizeOf(limits.requestBytes - 16)).code, Status.INVALID_ARGUMENT);
    assert.equal(asked, 1);
  });

  it("a port that is in use cannot be had", async () => {
    const port = await listen(honest);
    await assert.rejects(listenReplica(honest, { host: "127.0.0.1", port }), Error);
  });

  it("the time that a client gives ends the call on the server too", async () => {
    const ended = new Deferred<void>();
    const claim: Replica["claim"] = (_, call) => untilEnded(call).finally(ended.resolve);
    const asking = await serving({ ...honest, claim });
    const metadata = Metadata({ "grpc-timeout": "50m" });
    await assert.rejects(asking.getChecksum({}, { metadata }));
    await ended.promise;
  });

  it("a client that goes away ends what it asked for, in every call", async () => {
    const begun = new Tally();
    const ended = new Tally();
    const wait = (call: Call) => {
      begun.add();
      return untilEnded(call).finally(() => ended.add());
    };
    const asking = await serving({
      claim: (_, call) => wait(call),
      size: (_, call) => wait(call),
      pieces: (_, call) => wait(call),
      list: (_, call) => wait(call),
      // biome-ignore lint/correctness/useYield: it is ended before it has anything to give.
      async *read(_, call) {
        await wait(call);
      },
    });
    const left = new AbortController();
    const calls = callsTo(asking).map((calling) => calling({ signal: left.signal }));
    const outcomes = Promise.allSettled(calls);
    await begun.reaches(5);
    left.abort();
    await ended.reaches(5);
    assert.ok((await outcomes).every(({ status }) => status === "rejected"));
  });

  it("a client that takes nothing and goes away ends the read that waits for it", async () => {
    const { replica, ended } = endlessReads({ isEager: true });
    const left = new AbortController();
    const asking = await serving(replica);
    const reading = asking.readRange({ length: 1n }, { signal: left.signal });
    const chunks = reading[Symbol.asyncIterator]();
    await chunks.next();
    left.abort();
    await ended.reaches(1);
    await assert.rejects(chunks.next().then(() => all({ [Symbol.asyncIterator]: () => chunks })));
  });
});
