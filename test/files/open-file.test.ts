import assert from "node:assert/strict";
import {
  appendFile,
  type FileHandle,
  link,
  open,
  readFile,
  rename,
  stat,
  truncate,
  unlink,
  utimes,
  writeFile,
} from "node:fs/promises";
import { digestInline, openFileOf } from "../../src/files/open-file.js";
import { ReplicaFault } from "../../src/ports.js";
import type { HashFile } from "../../src/server-ports.js";
import { hashFile } from "../../src/threads/hash-file.js";
import { manifestOfBytes } from "../support/memory-partial.js";
import { scratchFolder } from "../support/scratch-folder.js";

const bytes = Buffer.alloc(100_000, "quorate");

describe("an open file", () => {
  const at = scratchFolder();
  let handle: FileHandle;
  const openIt = async (hash: HashFile = hashFile, flags = "r") => {
    handle = await open(at("file"), flags);
    return openFileOf(handle, await handle.stat({ bigint: true }), hash);
  };
  beforeEach(() => writeFile(at("file"), bytes));
  afterEach(() => handle.close());

  it("gives the bytes at an offset, and fewer only at its end", async () => {
    const file = await openIt();
    const buffer = Buffer.alloc(1000);
    assert.equal(await file.read(500, buffer), 1000);
    assert.deepEqual(buffer, bytes.subarray(500, 1500));
    assert.equal(await file.read(99_900, buffer), 100);
    assert.deepEqual(buffer.subarray(0, 100), bytes.subarray(99_900));
    assert.equal(await file.read(100_000, buffer), 0);
  });

  it("turns a disk that fails into a corrupt fault, with the cause", async () => {
    // A descriptor that is for writing only fails each read.
    const file = await openIt(hashFile, "r+").then(async () => {
      await handle.close();
      return openIt(hashFile, "a");
    });
    await assert.rejects(file.read(0, Buffer.alloc(1)), (error) => {
      assert.ok(error instanceof ReplicaFault && error.cause instanceof Error);
      assert.deepEqual(error.fault, { kind: "corrupt", detail: "its disk failed (EBADF)" });
      return true;
    });
  });

  it("closes its handle", async () => {
    await (await openIt()).close();
    assert.equal(handle.fd, -1);
  });
});

describe("the version of an open file", () => {
  const at = scratchFolder();
  const handles: FileHandle[] = [];
  const openIt = async () => {
    const handle = await open(at("file"));
    handles.push(handle);
    return openFileOf(handle, await handle.stat({ bigint: true }), hashFile);
  };
  beforeEach(() => writeFile(at("file"), bytes));
  afterEach(async () => {
    for (const handle of handles.splice(0)) await handle.close();
  });

  it("is the same each time that the file is", async () => {
    const [first, second] = [await openIt(), await openIt()];
    assert.equal(first.version.key, second.version.key);
    assert.equal(first.version.size, bytes.length);
    assert.equal(await first.hasChanged(), false);
  });

  it("is opaque: it shows neither inode nor time", async () => {
    const { version } = await openIt();
    assert.match(version.key, /^[0-9a-f]{32}$/);
  });

  it("stays when the file is read, or another one changes", async () => {
    const file = await openIt();
    await readFile(at("file"));
    await writeFile(at("other"), "");
    assert.equal(await file.hasChanged(), false);
  });

  const changes: readonly (readonly [what: string, change: () => Promise<void>])[] = [
    ["is written again, though with the same bytes", () => writeFile(at("file"), bytes)],
    ["is written again, and its time of change is set back", rewriteAndForge],
    ["gets longer", () => appendFile(at("file"), "x")],
    ["gets shorter", () => truncate(at("file"), 10)],
    ["is renamed: that moves its ctime", () => rename(at("file"), at("renamed"))],
    ["is replaced by rename: it loses its name, which moves its ctime", replace],
    ["is replaced by rename, though it has another name", linkAndReplace],
    ["is removed: it loses its name, which moves its ctime", () => unlink(at("file"))],
    ["gets another name: that moves its ctime", () => link(at("file"), at("second"))],
  ];
  for (const [what, change] of changes) {
    it(`has changed once the file ${what}`, async () => {
      const file = await openIt();
      await nextTick();
      await change();
      assert.equal(await file.hasChanged(), true);
    });
  }

  it("has not changed once somebody reads and only the time of reading moves", async () => {
    const file = await openIt();
    const again = await openIt();
    await again.read(0, Buffer.alloc(10));
    assert.equal(await file.hasChanged(), false);
  });

  it("still gives the old bytes after a replacement: the handle is the old file's", async () => {
    const file = await openIt();
    await replace();
    const buffer = Buffer.alloc(7);
    await file.read(0, buffer);
    assert.equal(buffer.toString(), "quorate");
  });

  it("is young, whatever its time of change says: its ctime cannot be forged", async () => {
    await utimes(at("file"), 1_000_000, 1_000_000);
    assert.ok((await openIt()).version.ageMs < 5000);
  });

  it("is of the future, and so never old, when its time of change is", async () => {
    const tomorrow = Date.now() / 1000 + 86_400;
    await utimes(at("file"), tomorrow, tomorrow);
    assert.ok((await openIt()).version.ageMs < 0);
  });

  async function rewriteAndForge(): Promise<void> {
    const { atime, mtime } = await stat(at("file"));
    await writeFile(at("file"), Buffer.from(bytes).fill("x"));
    await utimes(at("file"), atime, mtime);
  }

  async function replace(): Promise<void> {
    await writeFile(at("draft"), Buffer.alloc(bytes.length, "another"));
    await rename(at("draft"), at("file"));
  }

  async function linkAndReplace(): Promise<void> {
    await link(at("file"), at("second"));
    await replace();
  }

  /**
   * Two changes within one tick of the file system's clock look the same; this waits for the next.
   */
  async function nextTick(): Promise<void> {
    const { ctimeNs } = await stat(at("file"), { bigint: true });
    do await writeFile(at("ticker"), "");
    while ((await stat(at("ticker"), { bigint: true })).ctimeNs <= ctimeNs);
  }
});

describe("the digest of an open file", () => {
  const at = scratchFolder();
  const { signal } = new AbortController();

  it("is the same inline and in a thread, and what a builder says", async () => {
    for (const size of [0, 1, 65_536, 65_537, 4 * 1024 * 1024]) {
      const content = Buffer.alloc(size, "quorate");
      await writeFile(at("file"), content);
      const handle = await open(at("file"));
      const inline = await digestInline(handle, size);
      const inThread = await hashFile({ fd: handle.fd, size, onProgress: () => {}, signal });
      await handle.close();
      assert.deepEqual(inline, inThread);
      assert.deepEqual(inline, manifestOfBytes(content));
    }
  });

  it("is computed in a thread for a large file only", async () => {
    const asked: number[] = [];
    const spy: HashFile = (request) => {
      asked.push(request.size);
      return hashFile(request);
    };
    for (const size of [4 * 1024 * 1024, 4 * 1024 * 1024 + 1]) {
      const content = Buffer.alloc(size, "quorate");
      await writeFile(at("file"), content);
      const handle = await open(at("file"));
      const file = openFileOf(handle, await handle.stat({ bigint: true }), spy);
      assert.deepEqual(await file.digest(() => {}, signal), manifestOfBytes(content));
      await file.close();
    }
    assert.deepEqual(asked, [4 * 1024 * 1024 + 1]);
  });

  it("is of the size asked, and a changed fault when the file became shorter", async () => {
    await writeFile(at("file"), bytes);
    const handle = await open(at("file"));
    assert.deepEqual(await digestInline(handle, 10), manifestOfBytes(bytes.subarray(0, 10)));
    const file = openFileOf(handle, await handle.stat({ bigint: true }), hashFile);
    await truncate(at("file"), 10);
    await assert.rejects(
      file.digest(() => {}, signal),
      (error) => error instanceof ReplicaFault && error.fault.kind === "changed",
    );
    await file.close();
  });

  const failures: readonly (readonly [code: string, kind: string])[] = [
    ["EIO", "corrupt"],
    ["EMFILE", "busy"],
    ["ENFILE", "busy"],
    ["ERR_WORKER_INIT_FAILED", "busy"],
  ];
  for (const [code, kind] of failures) {
    it(`that fails with ${code} is a fault: ${kind}`, async () => {
      const cause = Object.assign(new Error("no"), { code });
      const error = await failureOf(async () => Promise.reject(cause));
      assert.ok(error instanceof ReplicaFault && error.cause === cause);
      assert.equal(error.fault.kind, kind);
    });
  }

  it("that fails for no reason that is known stays what it was", async () => {
    const cause = new TypeError("a bug");
    assert.equal(await failureOf(async () => Promise.reject(cause)), cause);
  });

  it("in a thread is a changed fault, too, when the file became shorter", async () => {
    const error = await failureOf(async (request) => {
      await truncate(at("file"), 10);
      return hashFile(request);
    });
    assert.ok(error instanceof ReplicaFault && error.fault.kind === "changed");
  });

  /** What hashing a large file in this way fails with. */
  async function failureOf(hash: HashFile): Promise<unknown> {
    await writeFile(at("file"), Buffer.alloc(4 * 1024 * 1024 + 1));
    const handle = await open(at("file"));
    try {
      const file = openFileOf(handle, await handle.stat({ bigint: true }), hash);
      return await file.digest(() => {}, signal).catch((error: unknown) => error);
    } finally {
      await handle.close();
    }
  }

  it("may be in pieces of another size", async () => {
    await writeFile(at("file"), bytes);
    const handle = await open(at("file"));
    const manifest = await digestInline(handle, bytes.length, 1000);
    assert.deepEqual(manifest, manifestOfBytes(bytes, 1000));
    assert.equal(manifest.pieceCount, 100);
    await handle.close();
  });
});
