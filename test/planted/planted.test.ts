/**
 * Tests are worth what they find: each bug of the list is planted in a copy of the tree, and
 * something must turn red.
 */

import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { cp, mkdir, mkdtemp, readFile, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type PlantedBug, plantedBugs } from "./planted-bugs.js";

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

  function ended(
    program: string,
    args: readonly string[],
    env: NodeJS.ProcessEnv,
  ): Promise<Ending> {
    return new Promise((resolve) => {
      execFile(program, args, { cwd: copy, timeout: 110_000, env }, (error, out, err) => {
        resolve({ code: error === null ? 0 : 1, output: `${out}${err}` });
      });
    });
  }

  const run = (args: readonly string[]) =>
    ended(process.execPath, ["--import", "tsx", ...args], { ...process.env, SEED: "1" });
  const runWorlds = (...bug: string[]) => run(["test/planted/run-worlds.ts", ...bug]);
  const runFiles = (...files: string[]) => run(["node_modules/mocha/bin/mocha.js", ...files]);

  /** Does something in the tree with this bug in it. */
  async function planted({ file, find, replace }: PlantedBug, act: () => Promise<void>) {
    const path = join(copy, file);
    const right = await readFile(path, "utf8");
    assert.equal(right.split(find).length, 2, `${file} has this once: ${find}`);
    await writeFile(
      path,
      right.replace(find, () => replace),
    );
    try {
      await act();
    } finally {
      await writeFile(path, right);
    }
  }

  it("none: then everything is green", async () => {
    const worlds = await runWorlds();
    assert.equal(worlds.code, 0, worlds.output);
    const files = new Set(plantedBugs.flatMap(({ testFile }) => testFile ?? []));
    const tests = await runFiles(...files);
    assert.equal(tests.code, 0, tests.output);
  });

  it("a world that fails names a line that shows it again", async () => {
    const bug = plantedBugs.find(({ name }) => name === "no piece is checked");
    assert.ok(bug !== undefined);
    await planted(bug, async () => {
      const suite = ["test/simulation/main.ts", "--worlds", "300", "--seed", "1"];
      const night = await run(suite);
      assert.equal(night.code, 1, night.output);
      const [line, seed] = /^SEED=(\d+) npm run test:sim -- --worlds 1$/m.exec(night.output) ?? [];
      assert.ok(line !== undefined && Number(seed) >= 1 && Number(seed) <= 300, night.output);
      const again = await ended("sh", ["-c", line], { PATH: process.env.PATH });
      assert.equal(again.code, 1, again.output);
      const failure = (output: string) => output.slice(output.indexOf(line)).split("\n")[1];
      assert.equal(failure(again.output), failure(night.output));
    });
  });

  for (const bug of plantedBugs) {
    const { name, worlds, testFile } = bug;
    it(`"${name}" is found`, () =>
      planted(bug, async () => {
        const ending = worlds.length > 0 ? await runWorlds(name) : await runFiles(testFile ?? "");
        assert.equal(ending.code, 1, `nothing is red: ${ending.output}`);
        // Red for what it does, not because it does not even start.
        assert.match(ending.output, worlds.length > 0 ? /^RED/m : /\d+ failing/);
      }));
  }
});
