import assert from "node:assert/strict";
import { readdir, readFile, writeFile } from "node:fs/promises";
import { comingPartial } from "../../src/files/coming-partial.js";
import { openOutput } from "../../src/files/open-output.js";
import { openPartialFile, type PartialOptions } from "../../src/files/partial-file.js";
import { resolveTarget } from "../../src/files/target.js";
import type { PartialOutput } from "../../src/ports.js";
import { sinkContract } from "../contracts/sink.js";
import { manifestOfBytes } from "../support/memory-partial.js";
import { refusal } from "../support/refusal.js";
import { scratchFolder } from "../support/scratch-folder.js";

const bytes = Buffer.alloc(100_000, "quorate");
const manifest = manifestOfBytes(bytes);

describe("a partial that is being opened", () => {
  const at = scratchFolder();
  const left = async () => (await readdir(at())).sort();
  const target = () => resolveTarget(at("out"), "any");
  const options = { manifest, isForced: false, resumes: true };
  const open = async (others: Partial<PartialOptions> = {}): Promise<PartialOutput> =>
    openOutput(await target(), { ...options, ...others });

  sinkContract("it", async () => (of) => open({ manifest: of }));

  it("takes bytes at once, and is published whole", async () => {
    await using partial = await open();
    assert.ok(partial.opening !== undefined, "nobody need wait for it");
    await partial.sink.write(0, bytes);
    assert.deepEqual(await left(), [".out.quorate-journal", ".out.quorate-part"]);
    await partial.publish();
    assert.deepEqual(await readFile(at("out")), bytes);
    assert.deepEqual(await left(), ["out"]);
  });

  it("is closed only once it is open: the next run gets its lock", async () => {
    for (const end of ["close", "discard"] as const) {
      {
        await using partial = await open();
        if (end === "discard") await partial.discard();
      }
      assert.equal((await left()).length, end === "close" ? 2 : 0);
      await using again = await open();
      await again.opening;
      if (end === "close") await again.discard();
    }
  });

  it("fails all that waits for it with why it cannot be opened, and is closed quietly", async () => {
    await using _holder = await openPartialFile(await target(), options);
    const partial = comingPartial(await target(), options);
    const isHeld = refusal(/another quorate is writing/);
    await assert.rejects(partial.opening ?? Promise.resolve(), isHeld);
    await assert.rejects(partial.sink.write(0, bytes), isHeld);
    await assert.rejects(partial.publish(), isHeld);
    await partial.discard();
    await partial[Symbol.asyncDispose]();
  });

  it("tells its digest of the descriptor once something is in place", async () => {
    const asked: { fd: number }[] = [];
    const startPrefixDigest = (file: { readonly fd: number }) => {
      asked.push(file);
      return undefined;
    };
    await using partial = await open({ startPrefixDigest });
    partial.startDigest?.();
    await partial.sink.write(0, bytes);
    const [file] = asked;
    assert.ok(file !== undefined && file.fd > 2);
  });

  it("leaves alone what another run left after the first look", async () => {
    await writeFile(at(".out.quorate-part"), "other bytes");
    const partial = comingPartial(await target(), options);
    await assert.rejects(partial.opening ?? Promise.resolve(), refusal(/another run left it/));
    await assert.rejects(partial.sink.write(0, bytes), refusal(/another run left it/));
    await partial.discard();
    await partial[Symbol.asyncDispose]();
    assert.equal((await readFile(at(".out.quorate-part"), "latin1")).slice(0, 5), "other");
    await using again = await open();
    assert.equal(again.leftoverBytes, bytes.length);
  });
});
