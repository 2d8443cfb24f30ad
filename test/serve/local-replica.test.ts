import assert from "node:assert/strict";
import { rename, truncate, unlink, utimes, writeFile } from "node:fs/promises";
import { shareFile, shareFolder } from "../../src/files/shared-folder.js";
import { LocalReplica } from "../../src/serve/local-replica.js";
import { Manifests } from "../../src/serve/manifests.js";
import type { OpenFile, SharedFiles } from "../../src/server-ports.js";
import { systemClock } from "../../src/system.js";
import { hashFile } from "../../src/threads/hash-file.js";
import { madeUp } from "../support/made-up.js";
import { manifestOfBytes } from "../support/memory-replica.js";
import { scratchFolder } from "../support/scratch-folder.js";
import { FakeStore } from "./fake-files.js";
import { asked, bytesOf, call, faultOf } from "./reading.js";

const chunkBytes = 10_000;
const data = madeUp(100_000);
const other = madeUp(100_000, 2);
const { digest } = manifestOfBytes(data);

/** Shared files that count what is open. */
function counted(files: SharedFiles, open: { count: number }): SharedFiles {
  return {
    onlyName: () => files.onlyName(),
    list: (request) => files.list(request),
    async open(name): Promise<OpenFile> {
      const file = await files.open(name);
      open.count++;
      return {
        version: file.version,
        read: (offset, buffer) => file.read(offset, buffer),
        hasChanged: () => file.hasChanged(),
        digest: (onProgress, signal) => file.digest(onProgress, signal),
        close: () => {
          open.count--;
          return file.close();
        },
      };
    },
  };
}

describe("a local replica", () => {
  const at = scratchFolder();
  const open = { count: 0 };
  const closing: (() => Promise<void>)[] = [];
  afterEach(async () => {
    for (const close of closing.splice(0)) await close();
    assert.equal(open.count, 0, "every file opened was closed");
  });

  /** Written long ago, so that any later write shows in its times. */
  async function write(name: string, bytes: Uint8Array): Promise<void> {
    await writeFile(at(name), bytes);
    await utimes(at(name), 1_000_000, 1_000_000);
  }
  async function local(share = () => shareFolder(at(), hashFile)): Promise<LocalReplica> {
    const shared = await share();
    closing.push(() => shared.close());
    const { signal } = new AbortController();
    const manifests = new Manifests({ store: new FakeStore(), clock: systemClock, signal });
    return new LocalReplica(counted(shared, open), manifests, chunkBytes);
  }

  it("gives a range in chunks of equal size, the last one shorter", async () => {
    await write("a.bin", data);
    const sizes: number[] = [];
    for await (const { bytes } of (await local()).read(asked(5, 25_005), call())) {
      sizes.push(bytes.length);
    }
    assert.deepEqual(sizes, [10_000, 10_000, 5_000]);
  });

  it("lets each chunk be kept: none is written over by the next", async () => {
    await write("a.bin", data);
    const chunks: Uint8Array[] = [];
    for await (const { bytes } of (await local()).read(asked(0, 30_000), call())) {
      chunks.push(bytes);
    }
    assert.ok(Buffer.concat(chunks).equals(data.subarray(0, 30_000)));
  });

  it("a file that changed between the claim and the read is changed", async () => {
    await write("a.bin", data);
    const replica = await local();
    const { claim, version } = await replica.claim("a.bin", call());
    assert.equal(claim.digest, digest);
    await writeFile(at("a.bin"), other);
    const fault = await faultOf(bytesOf(replica.read(asked(0, 10, digest), call())));
    assert.equal(fault.kind, "changed");
    const after = await replica.claim("a.bin", call());
    assert.equal(after.claim.digest, manifestOfBytes(other).digest, "and its claim is a new one");
    assert.notEqual(after.version, version);
  });

  it("a file that changed is changed for its piece list too", async () => {
    await write("a.bin", data);
    const replica = await local();
    await replica.claim("a.bin", call());
    await writeFile(at("a.bin"), other);
    const request = { name: "a.bin", first: 0, count: 1, ifDigest: digest };
    assert.equal((await faultOf(replica.pieces(request, call()))).kind, "changed");
  });

  const changes: readonly (readonly [what: string, change: () => Promise<void>])[] = [
    ["rewritten in place", () => writeFile(at("a.bin"), other, { flag: "r+" })],
    ["truncated", () => truncate(at("a.bin"), 15_000)],
    ["emptied and written again", () => writeFile(at("a.bin"), data)],
    ["longer", () => truncate(at("a.bin"), 200_000)],
    [
      "replaced by rename",
      async () => {
        await writeFile(at("b.bin"), other);
        await rename(at("b.bin"), at("a.bin"));
      },
    ],
    ["deleted", () => unlink(at("a.bin"))],
  ];
  for (const [what, change] of changes) {
    for (const ifDigest of [digest, undefined]) {
      const how = ifDigest === undefined ? "" : ", asked for by its digest,";
      it(`a file${how} that is ${what} while it is read gives no mixed bytes`, async () => {
        await write("a.bin", data);
        const replica = await local();
        const chunks: Uint8Array[] = [];
        const reading = async () => {
          for await (const { bytes } of replica.read(asked(0, 100_000, ifDigest), call())) {
            chunks.push(bytes);
            if (chunks.length === 2) await change();
          }
        };
        assert.equal((await faultOf(reading())).kind, "changed");
        const read = Buffer.concat(chunks);
        assert.ok(read.equals(data.subarray(0, read.length)), "what came was of the old file");
        assert.equal(read.length, 2 * chunkBytes, "nothing came after the change");
      });
    }
  }

  it("a disk that gives fewer bytes than the file has is no reason to make some up", async () => {
    await write("a.bin", data);
    const shared = await shareFolder(at(), hashFile);
    closing.push(() => shared.close());
    const scarce: SharedFiles = {
      onlyName: () => shared.onlyName(),
      list: (request) => shared.list(request),
      async open(name) {
        const file = await shared.open(name);
        const read: OpenFile["read"] = async (offset, buffer) =>
          (await file.read(offset, buffer)) - 1;
        const { version } = file;
        const digested: OpenFile["digest"] = (...asking) => file.digest(...asking);
        const { hasChanged, close } = file;
        return { version, read, hasChanged, digest: digested, close };
      },
    };
    const { signal } = new AbortController();
    const manifests = new Manifests({ store: new FakeStore(), clock: systemClock, signal });
    const replica = new LocalReplica(counted(scarce, open), manifests, chunkBytes);
    assert.equal((await faultOf(bytesOf(replica.read(asked(0, 9), call())))).kind, "changed");
  });

  it("without a name means its one file", async () => {
    await write("a.bin", data);
    const replica = await local();
    assert.equal((await replica.claim("", call())).name, "a.bin");
    assert.deepEqual(await replica.size("", call()), { name: "a.bin", size: 100_000 });
    const bytes = await bytesOf(replica.read({ ...asked(3, 9), name: "" }, call()));
    assert.ok(bytes.equals(data.subarray(3, 9)));
    const pieces = { name: "", first: 0, count: 2, ifDigest: digest };
    assert.equal((await replica.pieces(pieces, call())).digests.length, 64);
  });

  it("without a name is incompatible when there are several files, in every call", async () => {
    await write("a.bin", data);
    await write("b.bin", other);
    const replica = await local();
    const pieces = { name: "", first: 0, count: 1, ifDigest: undefined };
    const calls = [
      replica.claim("", call()),
      replica.size("", call()),
      replica.pieces(pieces, call()),
      bytesOf(replica.read({ ...asked(0, 1), name: "" }, call())),
    ];
    for (const calling of calls) assert.equal((await faultOf(calling)).kind, "incompatible");
  });

  it("without a name means the file that was shared, whatever lies beside it", async () => {
    await write("a.bin", data);
    await write("b.bin", other);
    const replica = await local(() => shareFile(at("a.bin"), hashFile));
    assert.equal((await replica.claim("", call())).claim.digest, digest);
    assert.equal((await faultOf(replica.claim("b.bin", call()))).kind, "missing");
  });

  const beyond: readonly (readonly [start: number, end: number])[] = [
    [0, 100_001],
    [100_001, 100_001],
    [100_001, 100_002],
  ];
  for (const [start, end] of beyond) {
    it(`bytes ${start}–${end} of 100,000 are short, before any byte`, async () => {
      await write("a.bin", data);
      const replica = await local();
      assert.equal((await faultOf(bytesOf(replica.read(asked(start, end), call())))).kind, "short");
    });
  }

  it("an abort ends a read with the signal's reason, and closes the file", async () => {
    await write("a.bin", data);
    const abort = new AbortController();
    const reason = new Error("enough");
    const replica = await local();
    const reading = (async () => {
      for await (const _ of replica.read(asked(0, 100_000), call(abort.signal))) {
        abort.abort(reason);
      }
    })();
    await assert.rejects(reading, (error) => error === reason);
  });

  it("a reader that goes away leaves no file open", async () => {
    await write("a.bin", data);
    for await (const _ of (await local()).read(asked(0, 100_000), call())) break;
    assert.equal(open.count, 0);
  });
});
