/**
 * Tests are worth what they find: each bug of the list is planted in a copy of the tree, and
 * something must turn red.
 */

import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { cp, mkdir, mkdtemp, readFile, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { plantedBugs } from "./planted-bugs.js";

const root = join(import.meta.dirname, "..", "..");
const copied = [
  ...["src", "gen", "package.json", "tsconfig.json", ".mocharc.json"],
  ...["test/simulation", "test/support", "test/planted", "test/download", "test/schedule"],
  ...["test/durability", "test/trust", "test/threads"],
];

interface Ending {
  readonly code: number;
  readonly output: string;
}

describe("planted bugs", function () {
  this.timeout(120_000);
  let copy = "";

  before(async () => {
    copy = await mkdtemp(join(tmpdir(), "quorate-planted-"));
    await mkdir(join(copy, "test"));
    for (const path of copied) await cp(join(root, path), join(copy, path), { recursive: true });
    await symlink(join(root, "node_modules"), join(copy, "node_modules"));
  });

  after(() => rm(copy, { recursive: true, force: true }));

  function run(args: readonly string[]): Promise<Ending> {
    return new Promise((resolve) => {
      const options = { cwd: copy, timeout: 110_000, env: { ...process.env, SEED: "1" } };
      execFile(process.execPath, ["--import", "tsx", ...args], options, (error, out, err) => {
        resolve({ code: error === null ? 0 : 1, output: `${out}${err}` });
      });
    });
  }

  const runWorlds = (...bug: string[]) => run(["test/planted/run-worlds.ts", ...bug]);
  const runFiles = (...files: string[]) => run(["node_modules/mocha/bin/mocha.js", ...files]);

  it("none: then everything is green", async () => {
    const worlds = await runWorlds();
    assert.equal(worlds.code, 0, worlds.output);
    const files = new Set(plantedBugs.flatMap(({ testFile }) => testFile ?? []));
    const tests = await runFiles(...files);
    assert.equal(tests.code, 0, tests.output);
  });

  for (const { name, file, find, replace, worlds, testFile } of plantedBugs) {
    it(`"${name}" is found`, async () => {
      const path = join(copy, file);
      const right = await readFile(path, "utf8");
      assert.equal(right.split(find).length, 2, `${file} has this once: ${find}`);
      await writeFile(
        path,
        right.replace(find, () => replace),
      );
      try {
        const ending = worlds.length > 0 ? await runWorlds(name) : await runFiles(testFile ?? "");
        assert.equal(ending.code, 1, `nothing is red: ${ending.output}`);
        // Red for what it does, not because it does not even start.
        assert.match(ending.output, worlds.length > 0 ? /^RED/m : /\d+ failing/);
      } finally {
        await writeFile(path, right);
      }
    });
  }
});
