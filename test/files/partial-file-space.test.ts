import assert from "node:assert/strict";
import { open as openFile, readdir, readFile, rm, stat, writeFile } from "node:fs/promises";
import { openPartialFile } from "../../src/files/partial-file.js";
import { preallocate } from "../../src/files/preallocate.js";
import { resolveTarget } from "../../src/files/target.js";
import { pieceIndex } from "../../src/schedule/pieces.js";
import type { Manifest } from "../../src/trust/manifest.js";
import { leafAt } from "../../src/trust/merkle.js";
import { manifestOfBytes } from "../support/memory-partial.js";
import { refusal } from "../support/refusal.js";
import { refusing } from "../support/refusing-disk.js";
import { smallDisk, smallDiskProblem, withoutPrograms } from "../support/scratch-folder.js";

const MiB = 1024 * 1024;
const bytes = Buffer.alloc(MiB, "quorate");
const fits = manifestOfBytes(bytes);
const tooLarge = manifestOfBytes(Buffer.alloc(8 * MiB, "quorate"));
const problem = smallDiskProblem();

describe(`a disk without enough space${problem}`, () => {
  if (problem !== "") {
    it.skip("is refused");
    return;
  }
  const at = smallDisk(4 * MiB);

  it("is refused at once, saying how much is needed, and nothing stays taken", async () => {
    await assert.rejects(open(at("out"), tooLarge), refusal(/8388608 bytes are needed and \d+/));
    assert.deepEqual(await readdir(at()), []);
    await using partial = await open(at("out"), fits);
    await partial.sink.write(0, bytes);
    await partial.publish();
  });

  it("is refused to a resume, and what was there already stays as it was", async () => {
    await writeFile(at(".out.quorate-part"), bytes);
    await assert.rejects(open(at("out"), tooLarge), refusal(/are needed and \d+ are free/));
    assert.deepEqual(await readFile(at(".out.quorate-part")), bytes);
    assert.deepEqual(await readdir(at()), [".out.quorate-part"]);
  });

  it("takes a resume of which most is there already", async () => {
    const manifest = manifestOfBytes(Buffer.alloc(3 * MiB, "quorate"));
    await (await open(at("out"), manifest))[Symbol.asyncDispose]();
    await using partial = await open(at("out"), manifest);
    assert.equal(partial.leftoverBytes, 3 * MiB);
  });

  it("is found full later where it does not say how much is free", async () => {
    await assert.rejects(
      reserved(at("out"), tooLarge),
      refusal(/reserve 8388608 bytes: the disk is full; free/),
    );
    assert.deepEqual(await readdir(at()), []);
  });

  it("gives back what a failed reservation took", async () => {
    await writeFile(at("file"), "there before");
    const handle = await openFile(at("file"), "r+");
    try {
      const reserved = preallocate(handle, { present: 12, size: 8 * MiB });
      await assert.rejects(reserved, refusal(/reserve 8388608 bytes: the disk is full; free/));
    } finally {
      await handle.close();
    }
    assert.equal(await readFile(at("file"), "utf8"), "there before");
    assert.ok((await stat(at("file"))).blocks * 512 <= 4096);
  });

  it("is no matter to a download that began while there was enough", async () => {
    await using partial = await reserved(at("out"), fits);
    await fill(at("hog"));
    await partial.sink.write(0, bytes);
    await partial.sink.sync();
    await partial.publish();
    assert.deepEqual(await readFile(at("out")), bytes);
  });

  it("takes nothing in memory until bytes come, and fails the write once it is full", async () => {
    await using partial = await open(at("out"), fits);
    const { size, blocks } = await stat(at(".out.quorate-part"));
    assert.deepEqual([size, blocks], [MiB, 0]);
    await fill(at("hog"));
    await assert.rejects(partial.sink.write(0, bytes), refusal(/write .*disk is full; free/));
    await rm(at("hog"));
    await partial.sink.write(0, bytes);
    await partial.publish();
    assert.deepEqual(await readFile(at("out")), bytes);
  });

  it("fails the write, where nothing could be reserved, and says how to resume", async () => {
    await withoutPrograms(async () => {
      await using partial = await open(at("out"), fits);
      await fill(at("hog"));
      await assert.rejects(partial.sink.write(0, bytes), refusal(/write .*disk is full; free/));
    });
  });

  it("fails the journal, which keeps its records and takes them again later", async () => {
    const manifest = manifestOfBytes(bytes, 1024);
    const records = Array.from({ length: 1000 }, (_, piece) => ({
      piece: pieceIndex(piece),
      digest: Uint8Array.from(leafAt(manifest.pieces, piece)),
    }));
    {
      await using partial = await open(at("out"), manifest);
      await partial.journal.append(records.slice(0, 1));
      await fill(at("hog"));
      await assert.rejects(partial.journal.append(records), refusal(/journal.*disk is full/));
      await rm(at("hog"));
      await partial.journal.append(records.slice(1, 3));
    }
    await using again = await open(at("out"), manifest);
    assert.deepEqual(again.journal.claimed?.slice(0, 3), records.slice(0, 3));
  });
});

async function open(output: string, manifest: Manifest) {
  const target = await resolveTarget(output, "x");
  return openPartialFile(target, { manifest, isForced: false, resumes: true });
}

/** The same on a disk that does not tell that it lies in memory: there, space is taken at once. */
function reserved(output: string, manifest: Manifest) {
  return refusing("statfs", "ENOSYS", () => open(output, manifest));
}

/** Takes all space that is left. */
async function fill(path: string): Promise<void> {
  const handle = await openFile(path, "w");
  try {
    for (;;) await handle.write(Buffer.alloc(4096));
  } catch (error) {
    assert.ok(error instanceof Error && "code" in error && error.code === "ENOSPC");
  } finally {
    await handle.close();
  }
}
