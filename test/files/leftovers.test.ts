import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import {
  appendFile,
  chmod,
  link,
  mkdir,
  readdir,
  readFile,
  symlink,
  utimes,
  writeFile,
} from "node:fs/promises";
import { basename } from "node:path";
import { StorageError } from "../../src/errors.js";
import { findLeftovers, type Leftover } from "../../src/files/leftovers.js";
import { ourselves, ownerText } from "../../src/files/owner.js";
import { openPartialFile } from "../../src/files/partial-file.js";
import { removeLeftovers } from "../../src/files/remove-leftovers.js";
import { resolveTarget } from "../../src/files/target.js";
import { pieceIndex } from "../../src/schedule/pieces.js";
import { leafAt } from "../../src/trust/merkle.js";
import { manifestOfBytes } from "../support/memory-partial.js";
import { asOrdinaryUser, scratchFolder } from "../support/scratch-folder.js";

const bytes = Buffer.alloc(100_000, "quorate");
const manifest = manifestOfBytes(bytes);

/** Opens a partial and fills it half, as a download that is not over. */
async function begin(path: string, resumes = true) {
  const partial = await openPartialFile(await resolveTarget(path, "any"), {
    manifest,
    isForced: false,
    resumes,
  });
  await partial.sink.write(0, bytes.subarray(0, manifest.pieceBytes));
  await partial.journal.append([{ piece: pieceIndex(0), digest: leafAt(manifest.pieces, 0) }]);
  return partial;
}

async function leave(path: string, resumes = true): Promise<void> {
  await (await begin(path, resumes))[Symbol.asyncDispose]();
}

const names = (leftovers: readonly Leftover[]) =>
  leftovers.map(({ path, keptBecause }) => `${basename(path)}${keptBecause ? " kept" : ""}`);

describe("what is left over", () => {
  const at = scratchFolder();

  it("is the partial and the journal of a download that ended early", async () => {
    await leave(at("a.bin"));
    await leave(at("x".repeat(240)));
    await writeFile(at("a.txt"), "an ordinary file");
    const found = await findLeftovers(at());
    assert.equal(found.length, 4);
    assert.deepEqual(names(found).slice(2), [".a.bin.quorate-journal", ".a.bin.quorate-part"]);
    assert.equal(found[3]?.size, bytes.length);
    const removals = await removeLeftovers(found);
    assert.ok(removals.every(({ problem }) => problem === undefined));
    assert.deepEqual(await readdir(at()), ["a.txt"]);
  });

  it("is what was set aside, too", async () => {
    await leave(at("a.bin"));
    await leave(at("a.bin"), false);
    const found = await findLeftovers(at());
    assert.equal(found.length, 4);
    const [aside, others] = [
      found.filter(({ path }) => path.endsWith(".1")),
      found.filter(({ path }) => !path.endsWith(".1")),
    ];
    await removeLeftovers(aside);
    assert.deepEqual(
      (await readdir(at())).sort(),
      others.map(({ path }) => basename(path)),
    );
  });

  it("is what was to be a file of one piece, once it is older than a minute", async () => {
    const own = ".a.bin.quorate-part.01234567-89ab-cdef-0123-456789abcdef";
    await writeFile(at(own), "torn");
    await leave(at("a.bin"));
    const isOwn = ({ path }: Leftover) => basename(path) === own;
    const [young] = (await findLeftovers(at())).filter(isOwn);
    assert.match(young?.keptBecause ?? "", /younger than a minute/);
    const aged = (await findLeftovers(at(), Date.now() + 61_000)).filter(isOwn);
    assert.equal(aged[0]?.keptBecause, undefined);
    await removeLeftovers(aged);
    assert.deepEqual(await readdir(at()), [".a.bin.quorate-journal", ".a.bin.quorate-part"]);
  });

  it("is as old as what last changed of a download", async () => {
    await leave(at("a.bin"));
    await utimes(at(".a.bin.quorate-part"), 1_000, 1_000);
    await utimes(at(".a.bin.quorate-journal"), 3_000, 3_000);
    const ages = (await findLeftovers(at(), 10_000_000)).map(({ ageMs }) => ageMs);
    assert.deepEqual(ages, [7_000_000, 7_000_000]);
  });

  it("is a journal alone; nothing is left of what it takes to lock it", async () => {
    await leave(at("a.bin"));
    await link(at(".a.bin.quorate-journal"), at(".b.quorate-journal"));
    await removeLeftovers(await findLeftovers(at()));
    assert.deepEqual(await readdir(at()), []);
  });

  it("is the second name of an output that was published; the output stays", async () => {
    await leave(at("a.bin"));
    await link(at(".a.bin.quorate-part"), at("a.bin"));
    const removals = await removeLeftovers(await findLeftovers(at()));
    assert.ok(removals.every(({ problem }) => problem === undefined));
    assert.deepEqual(await readdir(at()), ["a.bin"]);
    assert.equal((await readFile(at("a.bin"))).length, bytes.length);
  });

  it("is nothing in a folder that is not there: that is an error", async () => {
    await assert.rejects(findLeftovers(at("none")), StorageError);
  });
});

describe("what is not left over", () => {
  const at = scratchFolder();

  it("is a file of such a name that nothing shows to be ours; an empty one is no loss", async () => {
    await writeFile(at(".a.quorate-part"), "somebody's");
    await writeFile(at(".b.quorate-journal"), "somebody's");
    await writeFile(at(".c.quorate-part"), "");
    await writeFile(at("d.quorate-part"), "somebody's");
    const found = await findLeftovers(at());
    assert.deepEqual(names(found), [
      ".a.quorate-part kept",
      ".b.quorate-journal kept",
      ".c.quorate-part",
    ]);
    await removeLeftovers(found);
    assert.deepEqual(await readdir(at()), [
      ".a.quorate-part",
      ".b.quorate-journal",
      "d.quorate-part",
    ]);
  });

  it("is a partial beside the journal of another one", async () => {
    await leave(at("a.bin"));
    await writeFile(at(".a.bin.quorate-part.2"), "somebody's");
    await writeFile(at(".b.bin.quorate-part"), "somebody's");
    await removeLeftovers(await findLeftovers(at()));
    assert.deepEqual(await readdir(at()), [".a.bin.quorate-part.2", ".b.bin.quorate-part"]);
  });

  it("is a link, a FIFO or a folder, and where a link leads", async () => {
    await leave(at("a.bin"));
    await mkdir(at("other"));
    await writeFile(at("other", "QJL"), "QJL1");
    await symlink(at("other", "QJL"), at(".b.quorate-journal"));
    await mkdir(at(".c.quorate-part"));
    spawnSync("mkfifo", [at(".d.quorate-journal")]);
    const before = [".b.quorate-journal", ".c.quorate-part", ".d.quorate-journal", "other"];
    await removeLeftovers(await findLeftovers(at()));
    assert.deepEqual((await readdir(at())).sort(), before);
    assert.equal(await readFile(at("other", "QJL"), "utf8"), "QJL1");
  });
});

describe("a leftover that somebody took up", () => {
  const at = scratchFolder();

  it("is not removed while it is locked", async () => {
    await leave(at("a.bin"));
    const found = await findLeftovers(at());
    await using _partial = await begin(at("a.bin"));
    const removals = await removeLeftovers(found);
    assert.deepEqual(
      removals.map(({ problem }) => /another quorate is writing/.test(problem ?? "")),
      [true, true],
    );
    assert.equal((await readdir(at())).length, 2);
  });

  it("is not removed when it changed after it was found", async () => {
    await leave(at("a.bin"));
    const found = await findLeftovers(at());
    await appendFile(at(".a.bin.quorate-journal"), "more");
    const removals = await removeLeftovers(found);
    assert.match(removals[0]?.problem ?? "", /it changed meanwhile/);
    assert.equal((await readdir(at())).length, 2);
  });

  it("is not removed where its folder may not be written to, and that is said", async () => {
    await leave(at("a.bin"));
    await chmod(at(".a.bin.quorate-part"), 0o666);
    await chmod(at(".a.bin.quorate-journal"), 0o666);
    const found = await findLeftovers(at());
    await chmod(at(), 0o555);
    const removals = await asOrdinaryUser(() => removeLeftovers(found));
    await chmod(at(), 0o755);
    assert.match(removals[0]?.problem ?? "", /permission denied/);
    assert.equal((await readdir(at())).length, 2);
  });
});

describe("a lock file", () => {
  const at = scratchFolder();

  async function lockedBy(text: string): Promise<void> {
    await leave(at("a.bin"));
    await writeFile(at(".a.bin.quorate-part.lock"), text);
  }

  it("of a dead process goes, with all that it locked", async () => {
    const { pid } = spawnSync("true");
    await lockedBy(ownerText({ ...(await ourselves()), pid }));
    await removeLeftovers(await findLeftovers(at()));
    assert.deepEqual(await readdir(at()), []);
  });

  for (const [title, change, reason] of [
    ["of a living process", {}, /in use by process \d+$/],
    ["of another machine", { host: "elsewhere" }, /on elsewhere, which cannot be seen/],
  ] as const) {
    it(`${title} stays, with all that it locks`, async () => {
      await lockedBy(ownerText({ ...(await ourselves()), ...change }));
      const found = await findLeftovers(at());
      for (const { keptBecause } of found) assert.match(keptBecause ?? "", reason);
      assert.deepEqual(await removeLeftovers(found), []);
      assert.equal((await readdir(at())).length, 3);
    });
  }

  it("that nobody can read stays", async () => {
    await lockedBy("");
    const found = await findLeftovers(at());
    assert.match(found[0]?.keptBecause ?? "", /nobody can tell whose lock it is/);
  });
});
