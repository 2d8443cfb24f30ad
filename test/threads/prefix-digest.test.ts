import assert from "node:assert/strict";
import { type FileHandle, open, readdir } from "node:fs/promises";
import type { PrefixDigest } from "../../src/hash-ports.js";
import { limits } from "../../src/limits.js";
import { prefixDigest, startPrefixDigest } from "../../src/threads/prefix-digest.js";
import { type Digest, digestBytes, digestOf } from "../../src/trust/digest.js";
import { madeUp } from "../support/made-up.js";
import { manifestOfBytes } from "../support/memory-replica.js";
import { scratchFolder } from "../support/scratch-folder.js";

const step = limits.prefixStepBytes;
const pieceBytes = 64 * 1024;
const onProgress = () => {};

describe("prefixDigest", function () {
  // Threads that run TypeScript take seconds to start on a busy machine.
  this.timeout(120_000);
  const at = scratchFolder();
  const { signal } = new AbortController();
  let handle: FileHandle;
  beforeEach(async () => {
    handle = await open(at("file"), "w+");
  });
  afterEach(() => handle.close());

  it("reads nothing that is not in place yet, and everything once", async () => {
    const first = 4 * step;
    const bytes = madeUp(first + step + 17);
    await handle.write(bytes.map((byte, index) => (index < first ? byte : byte ^ 1)));
    await using digest = prefixDigest({ fd: handle.fd, size: bytes.length, pieceBytes });
    digest.reached(first);
    let whole: Promise<Digest> | undefined;
    const told = new Promise<number>((resolve) => {
      whole = digest.digest({ onProgress: resolve, signal });
    });
    assert.equal(await told, first);
    // From here on it has all the time that reading on takes, had it wanted to.
    await prefixOf(handle, first);
    await handle.write(bytes.subarray(first), 0, bytes.length - first, first);
    digest.reached(bytes.length);
    assert.equal(await whole, digestOf(bytes));
  });

  it("of an empty file is that of nothing", async () => {
    await using digest = prefixDigest({ fd: handle.fd, size: 0, pieceBytes });
    assert.equal(await digest.digest({ onProgress, signal }), digestOf(new Uint8Array()));
  });

  it("fails for a file that is shorter than was said", async () => {
    await handle.write(madeUp(100));
    await using digest = prefixDigest({ fd: handle.fd, size: 101, pieceBytes });
    digest.reached(101);
    await assert.rejects(
      digest.digest({ onProgress, signal }),
      /the file ended at byte 100 of 101/,
    );
  });

  it("ends with an abort while it waits, and its thread with it", async () => {
    const before = await threads();
    const digest = prefixDigest({ fd: handle.fd, size: step, pieceBytes });
    const abort = new AbortController();
    const reason = new Error("enough");
    const whole = digest.digest({ onProgress, signal: abort.signal });
    abort.abort(reason);
    await assert.rejects(whole, (error) => error === reason);
    await digest[Symbol.asyncDispose]();
    assert.equal(await threads(), before);
  });

  it("is gone once it is let go, asked or not", async () => {
    await handle.write(madeUp(step));
    const before = await threads();
    const digest = prefixDigest({ fd: handle.fd, size: 2 * step, pieceBytes });
    digest.reached(step - 1);
    assert.equal(await threads(), before, "nothing is worth starting it yet");
    digest.reached(step);
    assert.ok((await threads()) > before);
    await digest[Symbol.asyncDispose]();
    assert.equal(await threads(), before);
  });

  describe("that is compared", () => {
    const pieces = 40;
    const bytes = madeUp(pieces * pieceBytes - 9);
    const { prefixes, digest: digestOfAll } = manifestOfBytes(bytes, pieceBytes);

    /** Resolves with the pieces that were doubted, once so many are proven. */
    function compared(
      digest: PrefixDigest,
      { until, by = prefixes }: { until: number; by?: Uint8Array },
      onDoubted: (piece: number) => "again" | "enough",
    ): Promise<number[]> {
      const doubted: number[] = [];
      return new Promise((resolve, reject) => {
        digest.compare?.({
          prefixes: by,
          onProven: (proven) => proven >= until && resolve(doubted),
          onDoubted: (piece) => {
            doubted.push(piece);
            return onDoubted(piece);
          },
          onFailed: () => reject(new Error("failed")),
        });
      });
    }
    const never = () => assert.fail("nothing is doubted");

    it("proves what lies there, a piece that is not whole excepted", async () => {
      await handle.write(bytes);
      await using digest = prefixDigest({ fd: handle.fd, size: bytes.length, pieceBytes });
      const some = compared(digest, { until: 7 }, never);
      digest.reached(7 * pieceBytes + 5, "now");
      await some;
      const all = compared(digest, { until: pieces }, never);
      digest.reached(bytes.length);
      await all;
      assert.equal(await digest.digest({ onProgress, signal }), digestOfAll);
    });

    it("doubts what is wrong, and reads it again once it is there anew", async () => {
      const wrong = Uint8Array.from(bytes);
      const at = 5 * pieceBytes + 77;
      wrong[at] = (wrong[at] ?? 0) ^ 1;
      await handle.write(wrong);
      await using digest = prefixDigest({ fd: handle.fd, size: bytes.length, pieceBytes });
      const all = compared(digest, { until: pieces }, () => {
        void handle.write(bytes, at, 1, at).then(() => digest.reached(bytes.length));
        return "again";
      });
      digest.reached(bytes.length);
      assert.deepEqual(await all, [5]);
      assert.equal(await digest.digest({ onProgress, signal }), digestOfAll);
    });

    it("goes on without comparing where that is enough", async () => {
      await handle.write(bytes);
      const by = Uint8Array.from(prefixes);
      by[3 * digestBytes] = (by[3 * digestBytes] ?? 0) ^ 1;
      await using digest = prefixDigest({ fd: handle.fd, size: bytes.length, pieceBytes });
      const doubted: number[] = [];
      void compared(digest, { until: pieces, by }, (piece) => {
        doubted.push(piece);
        return "enough";
      });
      digest.reached(bytes.length);
      assert.equal(await digest.digest({ onProgress, signal }), digestOfAll);
      assert.deepEqual(doubted, [3]);
    });

    it("tells that it has failed", async () => {
      await using digest = prefixDigest({ fd: handle.fd, size: bytes.length, pieceBytes });
      const all = compared(digest, { until: pieces }, never);
      digest.reached(bytes.length);
      await assert.rejects(all, /failed/);
    });
  });

  it("is not worth a thread for a small file", () => {
    const size = limits.prefixDigestBytes - 1;
    assert.equal(startPrefixDigest({ fd: handle.fd, size, pieceBytes }), undefined);
  });
});

/** As long as another thread takes for so much. */
async function prefixOf(handle: FileHandle, size: number): Promise<void> {
  await using digest = prefixDigest({ fd: handle.fd, size, pieceBytes });
  digest.reached(size);
  await digest.digest({ onProgress, signal: new AbortController().signal });
}

const threads = async () => (await readdir("/proc/self/task")).length;
