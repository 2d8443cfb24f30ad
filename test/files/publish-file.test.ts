import assert from "node:assert/strict";
import { link, readdir, readFile, stat, writeFile } from "node:fs/promises";
import { openPartialFile } from "../../src/files/partial-file.js";
import { resolveTarget } from "../../src/files/target.js";
import { manifestOfBytes } from "../support/memory-partial.js";
import { refusal } from "../support/refusal.js";
import { disturbing, refusing, refusingOn, refusingToClose } from "../support/refusing-disk.js";
import { scratchFolder, withoutPrograms } from "../support/scratch-folder.js";

const bytes = Buffer.alloc(100_000, "quorate");
const manifest = manifestOfBytes(bytes);

describe("publish", () => {
  const at = scratchFolder();
  describe("where there are no hard links", () => {
    for (const code of ["EPERM", "ENOTSUP", "EOPNOTSUPP", "ENOSYS", "EMLINK"]) {
      it(`renames instead when link says ${code}`, async () => {
        await refusing("link", code, () => publish());
        assert.deepEqual(await readFile(at("out")), bytes);
        assert.deepEqual(await readdir(at()), ["out"]);
      });
    }

    it("fails, with all kept, when link fails for any other reason", async () => {
      await assert.rejects(refusing("link", "EIO", publish), refusal(/publish .*disk failed/));
      assert.deepEqual(await readdir(at()), [".out.quorate-journal", ".out.quorate-part"]);
    });

    it("does not overwrite what came meanwhile, and keeps journal and partial", async () => {
      const published = refusing("link", "EPERM", async () => {
        await using partial = await openFilled();
        await writeFile(at("out"), "somebody else's");
        await partial.publish();
      });
      await assert.rejects(published, refusal(/exists already/));
      assert.equal(await readFile(at("out"), "utf8"), "somebody else's");
      assert.deepEqual(await readFile(at(".out.quorate-part")), bytes);
      assert.ok((await readdir(at())).includes(".out.quorate-journal"));
    });

    it("does not overwrite what came in the very last moment", async () => {
      // After the look, while the journal is removed, and before the rename.
      const squat = () => writeFile(at("out"), "somebody else's");
      const published = disturbing("unlink", squat, () => refusing("link", "EPERM", publish));
      await assert.rejects(published, refusal(/exists already/));
      assert.equal(await readFile(at("out"), "utf8"), "somebody else's");
      assert.deepEqual(await readFile(at(".out.quorate-part")), bytes);
    });

    it("looks, then renames, where there is no mv either", async () => {
      await withoutPrograms(() => refusing("link", "EPERM", publish));
      assert.deepEqual(await readdir(at()), ["out"]);
    });
  });

  describe("where something is not supported, or does not matter", () => {
    for (const code of ["EPERM", "ENOTSUP", "ENOSYS"]) {
      it(`leaves the mode as it is when chmod says ${code}`, async () => {
        await refusingOn("chmod", code, publish);
        assert.deepEqual(await readFile(at("out")), bytes);
      });
    }

    it("goes on when a folder cannot be synced", async () => {
      const isFolder = async (handle: { stat(): Promise<{ isDirectory(): boolean }> }) =>
        (await handle.stat()).isDirectory();
      for (const code of ["EINVAL", "ENOTSUP"]) {
        await refusingOn("sync", code, () => publish({ isForced: true }), isFolder);
        assert.deepEqual(await readFile(at("out")), bytes);
      }
      const failed = refusingOn("sync", "EIO", () => publish({ isForced: true }), isFolder);
      await assert.rejects(failed, refusal(/disk failed/));
    });

    it("has no name when its bytes cannot be synced, whatever the reason, and syncs them once", async () => {
      let syncs = 0;
      const failed = refusingOn("datasync", "EINVAL", publish, async (handle: Sized) => {
        if (!(await isPartial(handle))) return false;
        syncs++;
        return true;
      });
      await assert.rejects(failed, refusal(/sync/));
      assert.equal(syncs, 1);
      await assert.rejects(stat(at("out")), { code: "ENOENT" });
    });

    it("fails when its mode cannot be synced", async () => {
      await assert.rejects(refusingOn("sync", "EIO", publish, isPartial), refusal(/publish/));
    });

    it("takes a link whose answer was lost for what it is", async () => {
      const linkFirst = () => link(at(".out.quorate-part"), at("out"));
      assert.equal(await disturbing("link", linkFirst, publish), at("out"));
      assert.deepEqual(await readdir(at()), ["out"]);
    });

    it("is done once the name is durable, even when the litter cannot be removed", async () => {
      await refusing("unlink", "EIO", publish);
      assert.deepEqual(await readFile(at("out")), bytes);
    });

    it("is done even when nothing can be closed without an error", async () => {
      await refusingToClose("EIO", publish);
      assert.deepEqual(await readdir(at()), ["out"]);
    });
  });

  /** What is looked at of an open file. */
  type Sized = { stat(): Promise<{ size: number }> };

  async function isPartial(handle: Sized): Promise<boolean> {
    return (await handle.stat()).size === bytes.length;
  }

  async function openFilled({ isForced = false } = {}) {
    const target = await resolveTarget(at("out"), "x");
    const partial = await openPartialFile(target, { manifest, isForced, resumes: true });
    await partial.sink.write(0, bytes);
    return partial;
  }

  async function publish(wishes = {}): Promise<string> {
    await using partial = await openFilled(wishes);
    return await partial.publish();
  }
});
