import assert from "node:assert/strict";
import { link, readdir, readFile, rename, stat, unlink, writeFile } from "node:fs/promises";
import { openPartialFile } from "../../src/files/partial-file.js";
import { resolveTarget } from "../../src/files/target.js";
import type { JournalRecord } from "../../src/ports.js";
import { pieceIndex } from "../../src/schedule/pieces.js";
import type { Manifest } from "../../src/trust/manifest.js";
import { leafAt } from "../../src/trust/merkle.js";
import { manifestOfBytes } from "../support/memory-partial.js";
import { scratchFolder } from "../support/scratch-folder.js";

const bytes = Buffer.alloc(100_000, "quorate");
const manifest = manifestOfBytes(bytes);
const record: JournalRecord = {
  piece: pieceIndex(0),
  digest: Uint8Array.from(leafAt(manifest.pieces, 0)),
};

describe("a partial that an earlier run left", () => {
  const at = scratchFolder();

  it("is taken up: its bytes and what its journal claims", async () => {
    await leave(at("out"));
    await using partial = await open(at("out"));
    assert.deepEqual(partial.journal.claimed, [record]);
    assert.equal(partial.leftoverBytes, bytes.length);
    assert.deepEqual(await readFile(at(".out.quorate-part")), bytes);
    await partial.publish();
    assert.deepEqual(await readFile(at("out")), bytes);
  });

  it("counts as left over only as far as it reached", async () => {
    await writeFile(at(".out.quorate-part"), bytes.subarray(0, 1234));
    await using partial = await open(at("out"));
    assert.equal(partial.leftoverBytes, 1234);
    assert.equal(partial.journal.claimed, undefined);
    assert.deepEqual(
      (await readFile(at(".out.quorate-part"))).subarray(0, 1234),
      bytes.subarray(0, 1234),
    );
  });

  it("is cut to the manifest's size when it is longer", async () => {
    await leave(at("out"));
    const shorter = manifestOfBytes(bytes.subarray(0, 70_000));
    await using partial = await open(at("out"), { manifest: shorter });
    assert.equal(partial.leftoverBytes, 70_000);
    assert.equal(partial.journal.claimed, undefined);
    await partial.publish();
    assert.deepEqual(await readFile(at("out")), bytes.subarray(0, 70_000));
  });

  it("is none when there is none", async () => {
    await using partial = await open(at("out"));
    assert.equal(partial.leftoverBytes, 0);
    assert.equal(partial.journal.claimed, undefined);
  });
});

describe("a partial that is not to be resumed", () => {
  const at = scratchFolder();

  it("is set aside under another name with its bytes, each time", async () => {
    await leave(at("out"));
    for (const number of [1, 2]) {
      await using partial = await open(at("out"), { resumes: false });
      assert.equal(partial.leftoverBytes, 0);
      assert.equal(partial.journal.claimed, undefined);
      await partial.sink.write(0, Buffer.from(`run ${number}`));
    }
    assert.deepEqual(await readFile(at(".out.quorate-part.1")), bytes);
    assert.equal((await readFile(at(".out.quorate-part.2"))).toString("utf8", 0, 5), "run 1");
    assert.equal((await readFile(at(".out.quorate-part"))).toString("utf8", 0, 5), "run 2");
    const names = ["", ".1", ".2"].flatMap((end) => [`journal${end}`, `part${end}`]).sort();
    assert.deepEqual(
      (await readdir(at())).sort(),
      names.map((name) => `.out.quorate-${name}`),
    );
  });

  it("can be put back, and is then taken up as it was", async () => {
    await leave(at("out"));
    await (await open(at("out"), { resumes: false }))[Symbol.asyncDispose]();
    for (const what of ["part", "journal"]) {
      await rename(at(`.out.quorate-${what}.1`), at(`.out.quorate-${what}`));
    }
    await using partial = await open(at("out"));
    assert.deepEqual(partial.journal.claimed, [record]);
    assert.deepEqual(await readFile(at(".out.quorate-part")), bytes);
  });

  it("stays where it is while somebody else is writing it", async () => {
    await using partial = await open(at("out"));
    await partial.sink.write(0, bytes);
    await assert.rejects(open(at("out"), { resumes: false }), /lock .*out/);
    assert.deepEqual((await readdir(at())).sort(), [".out.quorate-journal", ".out.quorate-part"]);
  });

  it("claims nothing, even when only its journal is left", async () => {
    await leave(at("out"));
    await unlink(at(".out.quorate-part"));
    await using partial = await open(at("out"), { resumes: false });
    assert.equal(partial.journal.claimed, undefined);
  });

  it("may have had a journal of a newer version, even when only that is left", async () => {
    await writeFile(at(".out.quorate-journal"), "QJL2 whatever follows");
    await using partial = await open(at("out"), { resumes: false });
    assert.equal(partial.journal.claimed, undefined);
    assert.equal(partial.setAside, at(".out.quorate-journal.1"));
    assert.equal(await readFile(at(".out.quorate-journal.1"), "utf8"), "QJL2 whatever follows");
  });
});

describe("a partial of another manifest", () => {
  const at = scratchFolder();
  const other = manifestOfBytes(Buffer.alloc(bytes.length, "another"));

  it("keeps its journal until something replaces what that vouches for", async () => {
    await leave(at("out"));
    {
      await using crashed = await open(at("out"), { manifest: other });
      assert.equal(crashed.journal.claimed, undefined);
    }
    {
      await using partial = await open(at("out"));
      assert.deepEqual(partial.journal.claimed, [record]);
    }
    {
      await using partial = await open(at("out"), { manifest: other });
      await partial.journal.append([record]);
    }
    await using partial = await open(at("out"));
    assert.equal(partial.journal.claimed, undefined);
  });
});

describe("a partial that a newer version wrote", () => {
  const at = scratchFolder();

  it("is refused with a message that says so, and nothing is touched", async () => {
    const longer = Buffer.alloc(2 * bytes.length, "newer");
    await writeFile(at(".out.quorate-part"), longer);
    await writeFile(at(".out.quorate-journal"), "QJL2 whatever follows");
    await assert.rejects(open(at("out")), /a newer quorate wrote it; use that one, or --no-resume/);
    assert.deepEqual(await readFile(at(".out.quorate-part")), longer);
    assert.equal(await readFile(at(".out.quorate-journal"), "utf8"), "QJL2 whatever follows");
  });

  it("is not begun where only its journal is left", async () => {
    await writeFile(at(".out.quorate-journal"), "QJL2 whatever follows");
    await assert.rejects(open(at("out")), /a newer quorate wrote it/);
    assert.deepEqual(await readdir(at()), [".out.quorate-journal"]);
  });
});

describe("a crash between link and unlink", () => {
  const at = scratchFolder();

  it("is cleaned up by the next run, which replaces the output with force", async () => {
    await leave(at("out"));
    await link(at(".out.quorate-part"), at("out"));
    {
      await using partial = await open(at("out"), { isForced: true });
      assert.equal(partial.leftoverBytes, 0, "the published file is not written to");
      assert.equal(partial.journal.claimed, undefined);
      assert.equal((await stat(at("out"))).nlink, 1);
      assert.deepEqual(await readFile(at("out")), bytes);
      await partial.sink.write(0, bytes);
      await partial.publish();
    }
    assert.deepEqual(await readdir(at()), ["out"]);
  });

  it("leaves an output that a run without force does not touch", async () => {
    await leave(at("out"));
    await link(at(".out.quorate-part"), at("out"));
    await assert.rejects(open(at("out")), /exists already/);
    assert.deepEqual(await readFile(at("out")), bytes);
  });
});

interface Wishes {
  readonly manifest?: Manifest;
  readonly isForced?: boolean;
  readonly resumes?: boolean;
}

async function open(output: string, wishes: Wishes = {}) {
  const target = await resolveTarget(output, "x");
  return openPartialFile(target, { manifest, isForced: false, resumes: true, ...wishes });
}

/** Leaves what an interrupted run leaves: all bytes and one record. */
async function leave(output: string): Promise<void> {
  await using partial = await open(output);
  await partial.sink.write(0, bytes);
  await partial.sink.sync();
  await partial.journal.append([record]);
}
