/** The program with code that V8 kept from the build, and with whatever is left of that. */

import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import {
  cpSync,
  existsSync,
  mkdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { dirname, join } from "node:path";
import { promisify } from "node:util";
import { exitCodes } from "../../src/errors.js";
import { type Finished, mainPath, run } from "../support/cli.js";
import { scratchFolder } from "../support/scratch-folder.js";

const built = dirname(mainPath);

/** Says on stderr, before the program runs, whether V8 was given code and took it. */
const spy = `
const vm = require("node:vm");
vm.Script = class extends vm.Script {
  constructor(source, options) {
    super(source, options);
    if (options.cachedData === undefined) return;
    console.error(this.cachedDataRejected ? "refused" : "taken");
  }
};
`;

describe("the code cache", function () {
  this.timeout(120_000);
  const at = scratchFolder();

  /** A copy of the program whose folder `change` has been to. */
  function copy(name: string, change: (folder: string) => void): string {
    const folder = at(name);
    cpSync(built, folder, { recursive: true });
    if (!existsSync(at("node_modules"))) {
      symlinkSync(join(built, "../../node_modules"), at("node_modules"));
    }
    change(folder);
    return join(folder, "main.js");
  }

  async function runSpied(program: string, args: readonly string[]): Promise<Finished> {
    writeFileSync(at("spy.cjs"), spy);
    return run(args, { program, env: { NODE_OPTIONS: `--require=${at("spy.cjs")}` } });
  }

  it("is taken by the Node that built it", async () => {
    const { stdout, stderr } = await runSpied(mainPath, ["--version"]);
    assert.match(stdout, /^\d+\.\d+\.\d+\n$/);
    assert.equal(stderr, "taken\n");
  });

  const whole = readFileSync(join(built, "program.cache"));
  const flipped = (place: number) => {
    const bytes = Buffer.from(whole);
    bytes[place] = (bytes[place] ?? 0) ^ 1;
    return bytes;
  };
  const damages: readonly (readonly [what: string, left: Buffer])[] = [
    ["empty", Buffer.alloc(0)],
    ["shorter than its seals", whole.subarray(0, 7)],
    ["without its seals", whole.subarray(0, -12)],
    ["without its last byte", whole.subarray(0, -1)],
    ["half", whole.subarray(0, whole.length / 2)],
    ["without its beginning", whole.subarray(64)],
    ["garbage", Buffer.alloc(whole.length, "garbage")],
    ["one bit wrong in V8's own head", flipped(4)],
    ["one bit wrong at a third", flipped(Math.floor(whole.length / 3))],
    ["one bit wrong at two thirds", flipped(Math.floor((whole.length * 2) / 3))],
    ["one bit wrong in its seals", flipped(whole.length - 1)],
  ];
  for (const [what, left] of damages) {
    it(`is not given to V8 when it is ${what}`, async () => {
      const program = copy("copy", (folder) => writeFileSync(join(folder, "program.cache"), left));
      const { code, stdout, stderr } = await runSpied(program, ["--version"]);
      assert.match(stdout, /^\d+\.\d+\.\d+\n$/);
      assert.deepEqual([code, stderr], [0, ""]);
    });
  }

  it("is not missed when there is none, or a folder in its place", async () => {
    for (const hasFolder of [false, true]) {
      const program = copy(`copy-${hasFolder}`, (folder) => {
        rmSync(join(folder, "program.cache"));
        if (hasFolder) mkdirSync(join(folder, "program.cache"));
      });
      const { code, stdout, stderr } = await runSpied(program, ["--version"]);
      assert.match(stdout, /^\d+\.\d+\.\d+\n$/);
      assert.deepEqual([code, stderr], [0, ""]);
    }
  });

  it("of another program, as long as this one, is not given to V8", async () => {
    const program = copy("copy", (folder) => {
      const source = readFileSync(join(folder, "program.js"), "latin1");
      const other = source.replace("Get a file from many servers", "Got a file from many servers");
      assert.notEqual(other, source);
      writeFileSync(join(folder, "program.js"), other, "latin1");
    });
    const { stdout, stderr } = await runSpied(program, ["--help"]);
    assert.match(stdout, /Got a file from many servers/);
    assert.equal(stderr, "");
  });

  it("of the same Node with other flags is refused by V8, and the program runs", async () => {
    writeFileSync(at("spy.cjs"), spy);
    const { code, stdout, stderr } = await run(["--version"], {
      env: { NODE_OPTIONS: `--max-old-space-size=3000 --require=${at("spy.cjs")}` },
    });
    assert.match(stdout, /^\d+\.\d+\.\d+\n$/);
    assert.deepEqual([code, stderr], [0, "refused\n"]);
  });

  /** Has `digest` do that before anything else. */
  function plant(folder: string, statement: string): void {
    const path = join(folder, "program.js");
    const source = readFileSync(path, "latin1");
    const planted = source.replace(/async function runDigest\(.*\) \{\n/, `$&    ${statement}\n`);
    assert.notEqual(planted, source);
    writeFileSync(path, planted, "latin1");
  }

  async function makeCodeCache(folder: string): Promise<string> {
    const maker = join(built, "../../scripts/code-cache.mjs");
    const script = `(await import(${JSON.stringify(maker)})).makeCodeCache(process.argv[1])`;
    const args = ["--input-type=module", "-e", `await ${script}`, folder];
    return (await promisify(execFile)(process.execPath, args)).stderr;
  }

  it("changes nothing in what a stack says: line and column are the bundle's", async () => {
    const program = copy("copy", (folder) => plant(folder, 'throw new Error("planted");'));
    const compiled = await runSpied(program, ["digest", "file"]);
    assert.equal(await makeCodeCache(dirname(program)), "");
    const kept = await runSpied(program, ["digest", "file"]);
    assert.match(kept.stderr, /^taken\n/);
    const ours = ({ stderr }: Finished) => stderr.split("\n").filter((it) => it.includes(".js:"));
    assert.deepEqual(ours(kept), ours(compiled));

    const lines = readFileSync(join(dirname(program), "program.js"), "latin1").split("\n");
    const [, line = 0, column = 0] = /program\.js:(\d+):(\d+)/.exec(kept.stderr)?.map(Number) ?? [];
    assert.match(lines[line - 1]?.slice(column - 1) ?? "", /^new Error\("planted"\)/);
  });

  it("is not made of a program that cannot serve, which is no failure of the build", async () => {
    const program = copy("copy", (folder) => {
      rmSync(join(folder, "program.cache"));
      writeFileSync(join(folder, "program.js"), "process.exitCode = 1;\n");
    });
    assert.match(await makeCodeCache(dirname(program)), /^code cache: .*: there is none/);
    assert.equal(existsSync(join(dirname(program), "program.cache")), false);
  });

  it("a command that waits for what never comes ends as a bug of ours, and says so", async () => {
    const program = copy("copy", (folder) => plant(folder, "await new Promise(() => {});"));
    const { code, stderr } = await run(["digest", "file"], { program });
    assert.equal(code, exitCodes.bug);
    assert.match(stderr, /a bug, please report it/);
  });
});
