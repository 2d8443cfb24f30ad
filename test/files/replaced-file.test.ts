import assert from "node:assert/strict";
import { chownSync, mkdtempSync, rmdirSync } from "node:fs";
import {
  chmod,
  chown,
  link,
  mkdir,
  readFile,
  rename,
  stat,
  symlink,
  utimes,
  writeFile,
} from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { StorageError } from "../../src/errors.js";
import { openPartialFile } from "../../src/files/partial-file.js";
import { checkReplaceable, lookAt, type ReplacedFile } from "../../src/files/replaced-file.js";
import { resolveTarget } from "../../src/files/target.js";
import { manifestOfBytes } from "../support/memory-partial.js";
import { asOrdinaryUser, scratchFolder } from "../support/scratch-folder.js";

const right = Buffer.alloc(100_000, "quorate");

const refusal = (message: RegExp) => (error: unknown) =>
  error instanceof StorageError && message.test(error.message);

/** Root in a container may lack the right. */
function canGiveAway(): boolean {
  const folder = mkdtempSync(join(tmpdir(), "quorate-test-"));
  try {
    chownSync(folder, 1234, 5678);
    return process.getuid?.() === 0;
  } catch {
    return false;
  } finally {
    rmdirSync(folder);
  }
}

const isRoot = canGiveAway();
const needsRoot = isRoot ? "" : " (skipped: giving files away needs root)";

/** Replaces a file by the right bytes, as a repair does. */
async function replace(path: string, replaces: ReplacedFile): Promise<void> {
  const target = await resolveTarget(path, "any");
  const manifest = manifestOfBytes(right);
  const options = { manifest, isForced: true, resumes: true, replaces };
  await using partial = await openPartialFile(target, options);
  await partial.sink.write(0, right);
  await partial.publish();
}

describe("a file that is replaced", () => {
  const at = scratchFolder();

  it("keeps its mode", async () => {
    for (const mode of [0o640, 0o444, 0o4711]) {
      await writeFile(at(`file${mode}`), "wrong");
      await chmod(at(`file${mode}`), mode);
      await replace(at(`file${mode}`), await lookAt(at(`file${mode}`)));
      assert.deepEqual(await readFile(at(`file${mode}`)), right);
      assert.equal((await stat(at(`file${mode}`))).mode & 0o7777, mode);
    }
  });

  it(`keeps its owner and group where that may be${needsRoot}`, async function () {
    if (!isRoot) this.skip();
    await writeFile(at("file"), "wrong");
    await chown(at("file"), 1234, 5678);
    await chmod(at("file"), 0o2750);
    await replace(at("file"), await lookAt(at("file")));
    const { uid, gid, mode } = await stat(at("file"));
    assert.deepEqual([uid, gid, mode & 0o7777], [1234, 5678, 0o2750]);
  });

  it(`runs as nobody else when its owner cannot be kept${needsRoot}`, async function () {
    if (!isRoot) this.skip();
    await chmod(at(), 0o777);
    await writeFile(at("file"), "wrong");
    await chmod(at("file"), 0o6755);
    await asOrdinaryUser(async () => replace(at("file"), await lookAt(at("file"))));
    const { uid, mode } = await stat(at("file"));
    assert.deepEqual([uid, mode & 0o7777], [65534, 0o755]);
  });

  it("is left alone when it was written to, replaced or removed meanwhile", async () => {
    await writeFile(at("file"), "wrong");
    const replaces = await lookAt(at("file"));
    // Of the same length, and later.
    await writeFile(at("file"), "wrung");
    await utimes(at("file"), 0, 2_000_000_000);
    await assert.rejects(replace(at("file"), replaces), refusal(/changed it meanwhile/));
    assert.equal(await readFile(at("file"), "utf8"), "wrung");
    const edited = await lookAt(at("file"));
    // Of the same length and time.
    await writeFile(at("other"), "wrong");
    await utimes(at("other"), 0, 2_000_000_000);
    await rename(at("other"), at("file"));
    await assert.rejects(replace(at("file"), edited), refusal(/changed it meanwhile/));
    await rename(at("file"), at("moved"));
    await assert.rejects(replace(at("file"), edited), refusal(/no such file/));
    await assert.rejects(stat(at("file")));
  });
});

describe("what may be replaced", () => {
  const at = scratchFolder();

  it("is a regular file of one name; of several only when it is forced", async () => {
    await writeFile(at("file"), "wrong");
    checkReplaceable("file", await lookAt(at("file")), false);
    await link(at("file"), at("also"));
    const linked = await lookAt(at("file"));
    assert.throws(() => checkReplaceable("file", linked, false), refusal(/2 names.*--force/));
    checkReplaceable("file", linked, true);
  });

  it("is no link, and nothing else, whatever is forced", async () => {
    await writeFile(at("file"), "wrong");
    await symlink(at("file"), at("link"));
    await mkdir(at("folder"));
    for (const [name, message] of [
      ["link", /it is a symbolic link; name the file/],
      ["folder", /it is no regular file/],
    ] as const) {
      const found = await lookAt(at(name));
      assert.throws(() => checkReplaceable(name, found, true), refusal(message));
    }
  });
});
