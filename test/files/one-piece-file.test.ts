import assert from "node:assert/strict";
import { mkdir, readdir, readFile, rename, stat, symlink, writeFile } from "node:fs/promises";
import { openOutput } from "../../src/files/open-output.js";
import type { PartialOptions } from "../../src/files/partial-file.js";
import { resolveTarget } from "../../src/files/target.js";
import type { PartialOutput } from "../../src/ports.js";
import type { Manifest } from "../../src/trust/manifest.js";
import { sinkContract } from "../contracts/sink.js";
import { manifestOfBytes } from "../support/memory-partial.js";
import { refusal } from "../support/refusal.js";
import { disturbing, refusing, refusingOn } from "../support/refusing-disk.js";
import { scratchFolder, withoutPrograms } from "../support/scratch-folder.js";

const bytes = Buffer.alloc(60_000, "quorate");
const manifest = manifestOfBytes(bytes);

describe("a file of one piece", () => {
  const at = scratchFolder();
  const left = async () => (await readdir(at())).sort();
  const open = async (options: Partial<PartialOptions> = {}) =>
    openOutput(await resolveTarget(at("out"), "any"), {
      manifest,
      isForced: false,
      resumes: true,
      ...options,
    });
  const filled = async (options: Partial<PartialOptions> = {}): Promise<PartialOutput> => {
    const partial = await open(options);
    await partial.sink.write(0, bytes);
    return partial;
  };
  const publish = async (options: Partial<PartialOptions> = {}) => {
    await using partial = await open(options);
    await partial.sink.write(0, bytes);
    await partial.sink.sync();
    return await partial.publish();
  };

  const asOnePiece = (of: Manifest) => open({ manifest: { ...of, pieceCount: 1 } });
  sinkContract("it", async () => asOnePiece, false);

  it("is published whole, and leaves nothing else", async () => {
    assert.equal(await publish(), at("out"));
    assert.deepEqual(await readFile(at("out")), bytes);
    assert.deepEqual(await left(), ["out"]);
  });

  it("is published when it is empty", async () => {
    await using partial = await open({ manifest: manifestOfBytes(Buffer.alloc(0)) });
    await partial.publish();
    assert.equal((await stat(at("out"))).size, 0);
    assert.deepEqual(await left(), ["out"]);
  });

  it("has the mode that the umask leaves", async () => {
    const umask = process.umask(0o027);
    try {
      await publish();
    } finally {
      process.umask(umask);
    }
    assert.equal((await stat(at("out"))).mode & 0o777, 0o640);
  });

  it("puts nothing into the folder before there is something to put there", async () => {
    await using partial = await open();
    assert.deepEqual(await left(), []);
    await partial.sink.write(0, bytes);
    assert.match((await left()).join(), /^\.out\.quorate-part\.[0-9a-f-]{36}$/);
  });

  it("leaves nothing when it ends early or turns out wrong", async () => {
    await (await filled())[Symbol.asyncDispose]();
    assert.deepEqual(await left(), []);
    await using partial = await filled();
    await partial.discard();
    assert.deepEqual(await left(), []);
  });

  it("never replaces an output that came meanwhile, unless it may", async () => {
    {
      await using partial = await filled();
      await writeFile(at("out"), "somebody else's");
      await assert.rejects(partial.publish(), refusal(/exists already; --force replaces it/));
    }
    assert.equal(await readFile(at("out"), "utf8"), "somebody else's");
    assert.deepEqual(await left(), ["out"]);
    await publish({ isForced: true });
    assert.deepEqual(await readFile(at("out")), bytes);
    assert.deepEqual(await left(), ["out"]);
  });

  it("replaces no link that came meanwhile, though it may replace files", async () => {
    await using partial = await filled({ isForced: true });
    await symlink("/dev/null", at("out"));
    await assert.rejects(partial.publish(), refusal(/it is a symbolic link/));
  });

  it("is got by one of many who want it at once; the others are told that it exists", async () => {
    const outcomes = await Promise.allSettled(Array.from({ length: 8 }, () => publish()));
    const refused = outcomes.filter((outcome) => outcome.status === "rejected");
    assert.equal(refused.length, 7);
    for (const { reason } of refused) refusal(/exists already/)(reason);
    assert.deepEqual(await readFile(at("out")), bytes);
    assert.deepEqual(await left(), ["out"]);
  });

  it("is taken up from an earlier run's partial where there is one, or a journal", async () => {
    await writeFile(at(".out.quorate-part"), bytes);
    {
      await using partial = await open();
      assert.equal(partial.leftoverBytes, bytes.length);
      await assert.rejects(open(), refusal(/another quorate is writing/));
      await partial.publish();
    }
    assert.deepEqual(await left(), ["out"]);
    await writeFile(at(".out.quorate-journal"), "garbage");
    await using partial = await open({ isForced: true, resumes: false });
    assert.equal(partial.setAside, at(".out.quorate-journal.1"));
  });

  it("is a partial like any other where nobody gives its piece, or it has more", async () => {
    for (const of of [{ ...manifest, root: undefined }, manifestOfBytes(Buffer.alloc(70_000))]) {
      await using partial = await open({ manifest: of });
      await partial.opening;
      assert.deepEqual(await left(), [".out.quorate-journal", ".out.quorate-part"]);
    }
  });

  describe("where the disk or the file system refuses", () => {
    for (const code of ["EPERM", "ENOTSUP", "EMLINK"]) {
      it(`renames without overwriting when link says ${code}`, async () => {
        await refusing("link", code, () => publish());
        assert.deepEqual(await left(), ["out"]);
        await assert.rejects(
          refusing("link", code, () => publish()),
          refusal(/exists already/),
        );
        await withoutPrograms(() => refusing("link", code, () => publish({ isForced: true })));
        assert.deepEqual(await left(), ["out"]);
      });
    }

    it("leaves the journal and partial of another run alone when it renames", async () => {
      await using partial = await filled();
      await writeFile(at(".out.quorate-part"), "another's");
      await writeFile(at(".out.quorate-journal"), "another's");
      await refusing("link", "EPERM", () => partial.publish());
      assert.deepEqual(await left(), [".out.quorate-journal", ".out.quorate-part", "out"]);
    });

    for (const call of ["write", "sync"] as const) {
      it(`fails and leaves nothing when a ${call} does`, async () => {
        await assert.rejects(
          refusingOn(call, "ENOSPC", () => publish()),
          refusal(/^\w+ .*\/out: the disk is full/),
        );
        assert.deepEqual(await left(), []);
      });
    }

    it("fails when link does, and leaves nothing", async () => {
      await assert.rejects(
        refusing("link", "EIO", () => publish()),
        refusal(/disk failed/),
      );
      assert.deepEqual(await left(), []);
    });

    it("is not there before its bytes are durable", async () => {
      const isFile = async (handle: { stat(): Promise<{ isFile(): boolean }> }) =>
        (await handle.stat()).isFile();
      for (const isForced of [false, true]) {
        const failed = refusingOn("sync", "EIO", () => publish({ isForced }), isFile);
        await assert.rejects(failed, refusal(/disk failed/));
        await using partial = await open({ isForced, manifest: manifestOfBytes(Buffer.alloc(0)) });
        const empty = refusingOn("sync", "EIO", () => partial.publish(), isFile);
        await assert.rejects(empty, refusal(/disk failed/));
      }
      assert.deepEqual(await left(), []);
    });

    it("is no success before its name is durable", async () => {
      const isFolder = async (handle: { stat(): Promise<{ isDirectory(): boolean }> }) =>
        (await handle.stat()).isDirectory();
      for (const isForced of [false, true]) {
        const failed = refusingOn("sync", "EIO", () => publish({ isForced: true }), isFolder);
        await assert.rejects(failed, refusal(/disk failed/), String(isForced));
      }
      await refusingOn("sync", "EINVAL", () => publish({ isForced: true }), isFolder);
    });

    it("has lost its name when the folder is moved away", async () => {
      await mkdir(at("in"));
      const target = await resolveTarget(at("in", "out"), "any");
      await using partial = await openOutput(target, { manifest, isForced: false, resumes: true });
      await partial.sink.write(0, bytes);
      await rename(at("in"), at("elsewhere"));
      await assert.rejects(partial.publish(), refusal(/removed or replaced it, or its folder/));
    });

    it("is a success when only its other name cannot be removed", async () => {
      await refusing("unlink", "EIO", () => publish());
      assert.equal((await left()).length, 2);
      assert.deepEqual(await readFile(at("out")), bytes);
    });

    it("does not overwrite what comes between a look and the rename", async () => {
      const squat = () => writeFile(at("out"), "somebody else's");
      const published = disturbing("link", squat, () => publish());
      await assert.rejects(published, refusal(/exists already/));
      assert.equal(await readFile(at("out"), "utf8"), "somebody else's");
    });
  });
});
