import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import {
  link,
  mkdir,
  readdir,
  readFile,
  rename,
  rm,
  stat,
  symlink,
  writeFile,
} from "node:fs/promises";
import { openPartialFile } from "../../src/files/partial-file.js";
import { resolveTarget } from "../../src/files/target.js";
import type { Manifest } from "../../src/trust/manifest.js";
import { journalContract } from "../contracts/journal.js";
import { sinkContract } from "../contracts/sink.js";
import { manifestOfBytes } from "../support/memory-partial.js";
import { refusal } from "../support/refusal.js";
import { scratchFolder } from "../support/scratch-folder.js";

const bytes = Buffer.alloc(100_000, "quorate");
const manifest = manifestOfBytes(bytes);

describe("a partial on disk", () => {
  const at = scratchFolder();
  const openHere = async () => (of: Manifest) => open(at("out"), { manifest: of });

  sinkContract("it", openHere);
  journalContract("it", openHere);
});

describe("publish", () => {
  const at = scratchFolder();

  it("makes exactly the bytes appear under the output's name, and nothing else", async () => {
    {
      await using partial = await openFilled(at("out"));
      assert.equal(await partial.publish(), at("out"));
    }
    assert.deepEqual(await readFile(at("out")), bytes);
    assert.deepEqual(await readdir(at()), ["out"]);
  });

  it("makes an empty file of an empty manifest", async () => {
    await using partial = await open(at("out"), { manifest: manifestOfBytes(Buffer.alloc(0)) });
    await partial.publish();
    assert.equal((await stat(at("out"))).size, 0);
    assert.deepEqual(await readdir(at()), ["out"]);
  });

  it("gives the file the mode that the umask leaves; it was private before", async () => {
    const umask = process.umask(0o027);
    try {
      await using partial = await openFilled(at("out"));
      assert.equal((await stat(at(".out.quorate-part"))).mode & 0o777, 0o600);
      await partial.publish();
    } finally {
      process.umask(umask);
    }
    assert.equal((await stat(at("out"))).mode & 0o777, 0o640);
  });

  it("replaces an existing output with force, at once", async () => {
    await writeFile(at("out"), "old");
    const old = await stat(at("out"));
    await using partial = await openFilled(at("out"), { isForced: true });
    assert.equal(await readFile(at("out"), "utf8"), "old");
    await partial.publish();
    assert.deepEqual(await readFile(at("out")), bytes);
    assert.notEqual((await stat(at("out"))).ino, old.ino);
    assert.deepEqual(await readdir(at()), ["out"]);
  });

  it("does not overwrite an output that came meanwhile, and keeps what was fetched", async () => {
    {
      await using partial = await openFilled(at("out"));
      await writeFile(at("out"), "somebody else's");
      await assert.rejects(partial.publish(), refusal(/exists already; --force replaces it/));
    }
    assert.equal(await readFile(at("out"), "utf8"), "somebody else's");
    assert.deepEqual(await readFile(at(".out.quorate-part")), bytes);
    assert.deepEqual(await readdir(at()), [".out.quorate-journal", ".out.quorate-part", "out"]);
  });

  it("does not publish what somebody put in the partial's place meanwhile", async () => {
    for (const isForced of [false, true]) {
      await using partial = await openFilled(at("out"), { isForced });
      await rename(at(".out.quorate-part"), at(`moved ${isForced}`));
      await writeFile(at(".out.quorate-part"), "never verified");
      await assert.rejects(partial.publish(), refusal(/out/));
      await assert.rejects(stat(at("out")), { code: "ENOENT" });
    }
  });
});

describe("a partial that loses its name while it is written", () => {
  const at = scratchFolder();

  it("is found out at the next sync: what is fetched now could not be resumed", async () => {
    await mkdir(at("folder"));
    for (const vanish of [
      () => rm(at("folder", ".out.quorate-part")),
      () => rename(at("folder"), at("moved")),
    ]) {
      await using partial = await openFilled(at("folder", "out"));
      await partial.sink.sync();
      await vanish();
      await assert.rejects(
        partial.sink.sync(),
        refusal(/somebody removed or replaced it, or its f/),
      );
    }
  });
});

describe("discard", () => {
  const at = scratchFolder();

  it("leaves nothing behind", async () => {
    {
      await using partial = await openFilled(at("out"));
      await partial.discard();
    }
    assert.deepEqual(await readdir(at()), []);
  });
});

describe("an output that must not be written", () => {
  const at = scratchFolder();

  it("is an existing file without force, and it stays as it was", async () => {
    await writeFile(at("out"), "old");
    await assert.rejects(open(at("out")), refusal(/exists already; --force replaces it/));
    assert.equal(await readFile(at("out"), "utf8"), "old");
    assert.deepEqual(await readdir(at()), ["out"]);
  });

  it("is a symlink, whether or not it leads anywhere, even with force", async () => {
    await writeFile(at("precious"), "mine");
    for (const to of ["precious", "nowhere"]) {
      await symlink(at(to), at(`to ${to}`));
      const opened = open(at(`to ${to}`), { isForced: true });
      await assert.rejects(opened, refusal(/it is a symbolic link/));
    }
    assert.equal(await readFile(at("precious"), "utf8"), "mine");
  });

  it("is a FIFO or a folder's place, even with force", async () => {
    spawnSync("mkfifo", [at("out")]);
    await assert.rejects(open(at("out"), { isForced: true }), refusal(/it is no regular file/));
    await mkdir(at("folder"));
    const target = { ...(await resolveTarget(at("file"), "x")), output: at("folder") };
    const opened = openPartialFile(target, { manifest, isForced: true, resumes: true });
    await assert.rejects(opened, refusal(/it is a folder/));
  });
});

describe("a partial that must not be written", () => {
  const at = scratchFolder();

  it("is a symlink, and what it points to stays as it was", async () => {
    await writeFile(at("precious"), "mine");
    await symlink(at("precious"), at(".out.quorate-part"));
    await assert.rejects(open(at("out")), refusal(/symbolic link; remove it/));
    assert.equal(await readFile(at("precious"), "utf8"), "mine");
  });

  it("is a FIFO", async () => {
    spawnSync("mkfifo", [at(".out.quorate-part")]);
    await assert.rejects(open(at("out")), refusal(/no regular file; remove it/));
  });

  it("is a folder", async () => {
    await mkdir(at(".out.quorate-part"));
    await assert.rejects(open(at("out")), refusal(/it is a folder/));
  });

  it("is a file with another name as well, and it stays as it was", async () => {
    await writeFile(at("precious"), "mine");
    await link(at("precious"), at(".out.quorate-part"));
    await assert.rejects(open(at("out")), refusal(/another name as well; remove it/));
    assert.equal(await readFile(at("precious"), "utf8"), "mine");
  });
});

interface Wishes {
  readonly manifest?: Manifest;
  readonly isForced?: boolean;
}

async function open(output: string, wishes: Wishes = {}) {
  const target = await resolveTarget(output, "x");
  return openPartialFile(target, { manifest, isForced: false, resumes: true, ...wishes });
}

async function openFilled(output: string, wishes: Wishes = {}) {
  const partial = await open(output, wishes);
  await partial.sink.write(0, bytes);
  return partial;
}
