/** What every sink keeps to. */

import assert from "node:assert/strict";
import type { Sink } from "../../src/ports.js";
import type { Manifest } from "../../src/trust/manifest.js";
import { manifestOfBytes } from "../support/memory-partial.js";

/** Opens the sink of one place; each call but the first takes up what the one before left. */
export type OpenSink = (manifest: Manifest) => Promise<{ readonly sink: Sink } & AsyncDisposable>;

const bytes = Buffer.alloc(200_000, "quorate");
const manifest = manifestOfBytes(bytes);

/**
 * Registers the contract; `open` makes a new, empty place each time. `isResumed`: whether there is a
 * next run for what was synced.
 */
export function sinkContract(title: string, open: () => Promise<OpenSink>, isResumed = true): void {
  describe(`${title} as a sink`, () => {
    it("gives back what was written, at its place", async () => {
      await using opened = await (await open())(manifest);
      await opened.sink.write(0, bytes);
      assert.deepEqual(await contentOf(opened.sink), bytes);
    });

    it("takes writes in any order, at once too", async () => {
      await using opened = await (await open())(manifest);
      const offsets = [150_000, 0, 100_000, 50_000];
      await Promise.all(
        offsets.map((offset) => opened.sink.write(offset, bytes.subarray(offset, offset + 50_000))),
      );
      assert.deepEqual(await contentOf(opened.sink), bytes);
    });

    it("leaves what lies around a write as it was", async () => {
      await using opened = await (await open())(manifest);
      await opened.sink.write(0, bytes);
      await opened.sink.write(70_001, Buffer.alloc(3, "x"));
      const expected = Buffer.from(bytes).fill("x", 70_001, 70_004);
      assert.deepEqual(await contentOf(opened.sink), expected);
    });

    it("is done with the caller's buffer once a write resolves", async () => {
      await using opened = await (await open())(manifest);
      const mine = Buffer.from(bytes);
      await opened.sink.write(0, mine);
      mine.fill(0);
      assert.deepEqual(await contentOf(opened.sink), bytes);
    });

    it("takes a write of nothing", async () => {
      await using opened = await (await open())(manifest);
      await opened.sink.write(5, new Uint8Array());
    });

    it("gives fewer bytes than asked only at its end", async () => {
      await using opened = await (await open())(manifest);
      await opened.sink.write(0, bytes);
      const buffer = Buffer.alloc(1000, "-");
      assert.equal(await opened.sink.read(199_900, buffer), 100);
      assert.deepEqual(buffer.subarray(0, 100), bytes.subarray(199_900));
      assert.equal(await opened.sink.read(200_000, buffer), 0);
    });

    if (!isResumed) return;

    it("keeps what was synced for the next run", async () => {
      const openAgain = await open();
      {
        await using opened = await openAgain(manifest);
        await opened.sink.write(0, bytes);
        await opened.sink.sync();
      }
      await using opened = await openAgain(manifest);
      assert.deepEqual(await contentOf(opened.sink), bytes);
    });
  });
}

async function contentOf(sink: Sink): Promise<Buffer> {
  const buffer = Buffer.alloc(bytes.length + 1);
  return buffer.subarray(0, await sink.read(0, buffer));
}
