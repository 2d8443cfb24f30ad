import assert from "node:assert/strict";
import { mkdir, symlink, writeFile } from "node:fs/promises";
import { join, relative, resolve } from "node:path";
import { UsageError } from "../../src/errors.js";
import { checkTarget, resolveTarget } from "../../src/files/target.js";
import { refusal } from "../support/refusal.js";
import { refusing } from "../support/refusing-disk.js";
import { scratchFolder } from "../support/scratch-folder.js";

describe("resolveTarget", () => {
  const at = scratchFolder();
  beforeEach(async () => {
    await mkdir(at("folder"));
    await writeFile(at("file"), "");
  });

  it("without an output is a mistake of who calls", async () => {
    const nowhere: Promise<unknown> = Reflect.apply(resolveTarget, undefined, [undefined, "data"]);
    await assert.rejects(nowhere, new UsageError("get: no output was given"));
  });

  const cases: readonly (readonly [what: string, output: string, name: string, path: string])[] = [
    ["a folder takes the file under its own name", "folder", "data", "folder/data"],
    ["a folder takes only the last component of the name", "folder", "a/b/data", "folder/data"],
    ["a trailing slash names a folder, there or not", "missing/", "data", "missing/data"],
    ["a path that is not there is the output itself", "missing", "data", "missing"],
    ["an existing file is the output itself", "file", "data", "file"],
    ["a path in a folder that is missing is taken as it is", "missing/x", "data", "missing/x"],
    ["what the user named may begin with a dot", "folder/.x", "data", "folder/.x"],
    ["what the user named may begin with a dash", "folder/-x", "data", "folder/-x"],
    ["what the user named makes the server's name irrelevant", "x", "../../etc/passwd", "x"],
  ];
  for (const [what, output, name, path] of cases) {
    it(what, async () => {
      const given = `${at()}/${output}`;
      assert.equal((await resolveTarget(given, name)).output, at(path));
    });
  }

  it("puts the partial and the journal beside the output, hidden", async () => {
    assert.deepEqual(await resolveTarget(at("folder"), "data"), {
      folder: at("folder"),
      output: at("folder/data"),
      partial: at("folder/.data.quorate-part"),
      journal: at("folder/.data.quorate-journal"),
    });
  });

  it("gives whole paths for relative ones", async () => {
    const { output } = await resolveTarget("some/output", "data");
    assert.equal(output, resolve("some/output"));
    const { folder } = await resolveTarget(relative(process.cwd(), at("folder")), "data");
    assert.equal(folder, at("folder"));
  });

  it("follows a link to a folder", async () => {
    await symlink(at("folder"), at("link"));
    assert.equal((await resolveTarget(at("link"), "data")).output, at("link/data"));
  });

  const bad = [
    ".hidden",
    "-rf",
    "a/.hidden",
    "a/-rf",
    "..",
    "a/..",
    "",
    "a/",
    "a\u001b[2Jb",
    "a\\b",
  ];
  for (const name of bad) {
    it(`refuses to name an output ${JSON.stringify(name)} because a server says so`, async () => {
      for (const output of [at("folder"), `${at("new")}/`]) {
        await assert.rejects(
          resolveTarget(output, name),
          (error) => error instanceof UsageError && /name the output with -o/.test(error.message),
        );
      }
    });
  }
});

describe("checkTarget", () => {
  const at = scratchFolder();
  const check = async (output: string, isForced = false) =>
    checkTarget(await resolveTarget(output, "data"), isForced);

  it("takes a place where nothing is", () => check(at("out")));

  it("refuses a folder that is not there", async () => {
    await assert.rejects(check(`${at("new")}/`), refusal(/write into .*new: no such file or fol/));
    await assert.rejects(check(at("new", "out")), refusal(/write into .*new: no such file or/));
  });

  it("refuses a file as a folder", async () => {
    await writeFile(at("file"), "");
    await assert.rejects(check(`${at("file")}/`), refusal(/write into .*file: it is no folder/));
    await assert.rejects(check(join(at("file"), "a", "b")), refusal(/no folder/));
  });

  it("takes an existing file with force only", async () => {
    await writeFile(at("out"), "");
    await assert.rejects(check(at("out")), refusal(/exists already; --force replaces it/));
    await check(at("out"), true);
  });

  it("refuses a folder that may not be written to, and says what to do", async () => {
    for (const code of ["EACCES", "EROFS"]) {
      const checked = refusing("access", code, () => check(at("out")));
      await assert.rejects(checked, refusal(/^write into .*; name another place with -o$/));
    }
  });

  it("refuses a folder of the output's name", async () => {
    await mkdir(at("data"));
    await assert.rejects(check(at(), true), refusal(/data: it is a folder/));
  });

  it("refuses a name that leaves no room for the partial's", async () => {
    await assert.rejects(check(at("n".repeat(256))), refusal(/the name is too long/));
  });
});
