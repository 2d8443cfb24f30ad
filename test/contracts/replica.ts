/** What every replica promises, whether in memory, on this disk or at the other end of a wire. */

import assert from "node:assert/strict";
import { type Call, type Replica, ReplicaFault } from "../../src/ports.js";
import type { Range } from "../../src/schedule/range.js";
import { digestFromRaw, digestOf } from "../../src/trust/digest.js";
import { leafAt, rootOf } from "../../src/trust/merkle.js";
import { madeUp } from "../support/made-up.js";
import { type Files, manifestOfBytes } from "../support/memory-replica.js";

/** A replica of these files, and how to end it. */
export type OpenReplica = (
  files: Files,
) => Promise<{ readonly replica: Replica; readonly close: () => Promise<void> }>;

const call = (): Call => ({ signal: new AbortController().signal, deadlineMs: 10_000 });

async function readAll(replica: Replica, name: string, range: Range): Promise<Buffer> {
  const parts: Uint8Array[] = [];
  let offset = range.start;
  for await (const chunk of replica.read({ name, range, ifDigest: undefined }, call())) {
    assert.equal(chunk.offset, offset, "chunks come in order, without gaps");
    offset += chunk.bytes.length;
    // The bytes are ours only until the next chunk.
    parts.push(Uint8Array.from(chunk.bytes));
  }
  return Buffer.concat(parts);
}

async function drain(chunks: AsyncIterable<unknown>): Promise<void> {
  for await (const _ of chunks) {
    // Only its end matters.
  }
}

async function faultOf(promise: Promise<unknown>): Promise<string> {
  try {
    await promise;
  } catch (error) {
    if (error instanceof ReplicaFault) return error.fault.kind;
    throw error;
  }
  return "none";
}

export function replicaContract(title: string, open: OpenReplica): void {
  describe(`${title} keeps the contract of a replica`, () => {
    const data = madeUp(300_001);
    const files = { "a.bin": data, "b/c.bin": madeUp(5), "empty.bin": madeUp(0) };
    let opened: Awaited<ReturnType<OpenReplica>>;
    before(async () => {
      opened = await open(files);
    });
    after(() => opened.close());

    it("claims what the file is", async () => {
      const { name, claim, version } = await opened.replica.claim("a.bin", call());
      const { size, digest, root, prefixRoot } = manifestOfBytes(data);
      const expected = { size, digest, root, prefixRoot };
      assert.deepEqual({ name, claim }, { name: "a.bin", claim: expected });
      assert.notEqual(version, "");
    });
    it("claims an empty file", async () => {
      const { claim } = await opened.replica.claim("empty.bin", call());
      assert.deepEqual([claim.size, claim.digest], [0, digestOf(new Uint8Array(0))]);
    });
    it("tells sizes", async () => {
      assert.deepEqual(await opened.replica.size("a.bin", call()), {
        name: "a.bin",
        size: 300_001,
      });
      assert.deepEqual(await opened.replica.size("b/c.bin", call()), { name: "b/c.bin", size: 5 });
    });

    const ranges: readonly (readonly [start: number, end: number])[] = [
      [0, 300_001],
      [0, 1],
      [300_000, 300_001],
      [65_535, 131_073],
      [7, 7],
      [300_001, 300_001],
    ];
    for (const [start, end] of ranges) {
      it(`reads bytes ${start}–${end}`, async () => {
        const bytes = await readAll(opened.replica, "a.bin", { start, end });
        assert.ok(bytes.equals(data.subarray(start, end)));
      });
    }
    readFaults(() => opened.replica);
    pieceRules(() => opened.replica, data);
    listRules(() => opened.replica);
    abortRules(() => opened.replica);
  });
  onlyFileRules(title, open);
}

function readFaults(replica: () => Replica): void {
  const range = (start: number, end: number) => ({ name: "a.bin", range: { start, end } });
  it("a range beyond the end is short", async () => {
    const request = { ...range(0, 300_002), ifDigest: undefined };
    assert.equal(await faultOf(drain(replica().read(request, call()))), "short");
  });
  it("another digest than the file's is changed", async () => {
    const request = { ...range(0, 1), ifDigest: digestOf(madeUp(9)) };
    assert.equal(await faultOf(drain(replica().read(request, call()))), "changed");
  });
  it("a name that nobody has is missing, in every call", async () => {
    const asked = { name: "nobody.bin", range: { start: 0, end: 1 }, ifDigest: undefined };
    assert.equal(await faultOf(replica().claim("nobody.bin", call())), "missing");
    assert.equal(await faultOf(replica().size("nobody.bin", call())), "missing");
    assert.equal(await faultOf(drain(replica().read(asked, call()))), "missing");
  });
  for (const name of ["../a.bin", "/a.bin", "a//b", "b\\c", "a\u0000"]) {
    it(`${JSON.stringify(name)} is no name`, async () => {
      assert.equal(await faultOf(replica().claim(name, call())), "incompatible");
      assert.equal(await faultOf(replica().size(name, call())), "incompatible");
    });
  }
}

function pieceRules(replica: () => Replica, data: Uint8Array): void {
  const { root, pieceCount, pieces, prefixes, digest } = manifestOfBytes(data);
  it("gives the piece list that makes up its root", async () => {
    const request = { name: "a.bin", first: 0, count: pieceCount, ifDigest: digest };
    const listed = await replica().pieces(request, call());
    assert.equal(rootOf(listed.digests), root);
    assert.equal(listed.prefixes, undefined, "nobody asked for them");
  });
  it("gives a part of the piece list", async () => {
    const asked = { name: "a.bin", first: 1, count: 2, ifDigest: undefined };
    const part = await replica().pieces({ ...asked, withPrefixes: true }, call());
    assert.deepEqual(Buffer.from(part.digests), Buffer.from(pieces.subarray(32, 96)));
    const given = part.prefixes ?? assert.fail("no prefixes");
    assert.deepEqual(Buffer.from(given), Buffer.from(prefixes.subarray(32, 96)));
  });
  it("gives the prefixes that make up its prefix root, the last of which is the file", async () => {
    const { claim } = await replica().claim("a.bin", call());
    const asked = { name: "a.bin", first: 0, count: pieceCount, ifDigest: digest };
    const listed = await replica().pieces({ ...asked, withPrefixes: true }, call());
    const given = listed.prefixes ?? assert.fail("no prefixes");
    assert.equal(rootOf(given), claim.prefixRoot);
    assert.equal(digestFromRaw(leafAt(given, pieceCount - 1)), digest);
  });
  it("pieces beyond the end are short", async () => {
    const request = { name: "a.bin", first: 0, count: pieceCount + 1, ifDigest: undefined };
    assert.equal(await faultOf(replica().pieces(request, call())), "short");
  });
}

function listRules(replica: () => Replica): void {
  it("lists its files in order, page by page", async () => {
    const first = await replica().list({ pageSize: 2, pageToken: "", prefix: "" }, call());
    assert.deepEqual(first.files, [
      { name: "a.bin", size: 300_001 },
      { name: "b/c.bin", size: 5 },
    ]);
    const { nextPageToken: pageToken } = first;
    const second = await replica().list({ pageSize: 2, pageToken, prefix: "" }, call());
    assert.deepEqual(second, { files: [{ name: "empty.bin", size: 0 }], nextPageToken: "" });
  });
  it("lists by prefix", async () => {
    const { files } = await replica().list({ pageSize: 0, pageToken: "", prefix: "b/" }, call());
    assert.deepEqual(files, [{ name: "b/c.bin", size: 5 }]);
  });
}

function abortRules(replica: () => Replica): void {
  it("an abort ends a read with the signal's reason", async () => {
    const abort = new AbortController();
    const reason = new Error("enough");
    const request = { name: "a.bin", range: { start: 0, end: 300_001 }, ifDigest: undefined };
    const reading = (async () => {
      const aborting = { signal: abort.signal, deadlineMs: 10_000 };
      for await (const _ of replica().read(request, aborting)) abort.abort(reason);
    })();
    await assert.rejects(reading, (error) => error === reason);
  });
}

function onlyFileRules(title: string, open: OpenReplica): void {
  describe(`${title}, asked for no name`, () => {
    it("means its only file", async () => {
      const { replica, close } = await open({ "only.bin": madeUp(10) });
      try {
        assert.equal((await replica.claim("", call())).name, "only.bin");
        assert.deepEqual(await replica.size("", call()), { name: "only.bin", size: 10 });
        assert.equal((await readAll(replica, "", { start: 2, end: 9 })).length, 7);
      } finally {
        await close();
      }
    });
    it("is incompatible when it has several", async () => {
      const { replica, close } = await open({ "a.bin": madeUp(1), "b.bin": madeUp(2) });
      try {
        assert.equal(await faultOf(replica.claim("", call())), "incompatible");
      } finally {
        await close();
      }
    });
  });
}
