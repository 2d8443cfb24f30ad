/** The program as users get it: a package of bundled files that load only what a command needs. */

import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { randomFillSync } from "node:crypto";
import { readdirSync, readFileSync, symlinkSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { freePorts, mainPath, run, startServing } from "../support/cli.js";
import { scratchFolder } from "../support/scratch-folder.js";

const root = join(import.meta.dirname, "../..");
const built = dirname(mainPath);

/** The source of all files that are loaded with one, before a command asks for more. */
function loadedWith(path: string, seen = new Map<string, string>()): ReadonlyMap<string, string> {
  if (seen.has(path)) return seen;
  const source = readFileSync(path, "utf8");
  seen.set(path, source);
  const statements = /^(?:import|export)\b[^;]*?"(\.\/[^"]+)";$/gm;
  for (const [, name = ""] of source.matchAll(statements)) {
    loadedWith(join(dirname(path), name), seen);
  }
  return seen;
}

/** The files that were bundled into those that are loaded with one. */
function bundledInto(path: string): string[] {
  return [...loadedWith(path).values()].flatMap((source) =>
    [...source.matchAll(/^ *\/\/ ((?:src|gen|node_modules)\/.*)$/gm)].map(
      (match) => match[1] ?? "",
    ),
  );
}

function chunk(command: string): string {
  const name = readdirSync(built).find((file) => new RegExp(`^${command}-\\w+\\.js$`).test(file));
  assert.ok(name !== undefined, `${command} is a chunk of its own`);
  return join(built, name);
}

describe("the start", function () {
  this.timeout(120_000);
  const at = scratchFolder();

  it("bin names the program that these tests run", () => {
    const { bin } = JSON.parse(readFileSync(join(root, "package.json"), "utf8"));
    assert.equal(join(root, bin.quorate), mainPath);
  });

  it("without a command, nothing but flags is loaded: no wire, no disk, no download", () => {
    const bundled = bundledInto(mainPath);
    assert.ok(bundled.includes("src/cli/main.ts"));
    const needless = /grpc|protobuf|log-update|^src\/(api|download|files|grpc|threads)\//;
    assert.deepEqual(
      bundled.filter((path) => needless.test(path)),
      [],
    );
  });

  it("get loads no live view and nothing of serve; gRPC only once its flags are right", () => {
    const bundled = bundledInto(chunk("get"));
    assert.ok(bundled.includes("src/download/transfer.ts"));
    const needless = /log-update|node_modules\/(@grpc|nice-grpc|pino|prom-client)|^src\/serve\//;
    assert.deepEqual(
      bundled.filter((path) => needless.test(path)),
      [],
    );
  });

  it("connections load no gRPC of others", () => {
    const bundled = bundledInto(chunk("kept-connections"));
    assert.ok(bundled.includes("src/grpc/lane.ts"));
    const needless = /node_modules\/(@grpc|nice-grpc)|^src\/grpc\/(status|channel)/;
    assert.deepEqual(
      bundled.filter((path) => needless.test(path)),
      [],
    );
  });

  it("a get that finds nothing wrong loads neither that nor Node's HTTP/2", async () => {
    const hook = at("loaded.cjs");
    const loaded = at("loaded.json");
    const list = "JSON.stringify(process.moduleLoadList)";
    const write = `require("fs").writeFileSync(${JSON.stringify(loaded)}, ${list})`;
    writeFileSync(hook, `process.on("exit", () => ${write});`);
    writeFileSync(at("small.bin"), "small");
    const ports = (await freePorts(3)).map(String);
    const serving = await startServing(["-f", at("small.bin"), "-n", "3", "-p", ...ports]);
    try {
      const loads = async (name: string, wanted: number) => {
        const args = ["get", name, "-o", at(`got-${name}`), "-p", ...ports];
        const { code } = await run(args, { env: { NODE_OPTIONS: `--require ${hook}` } });
        assert.equal(code, wanted);
        return /"NativeModule (http2|tls|inspector)"/.test(readFileSync(loaded, "utf8"));
      };
      assert.equal(await loads("small.bin", 0), false);
      assert.equal(await loads("nobody.bin", 4), true, "there it is seen");
    } finally {
      await serving.end();
    }
  });

  it("the package runs where it is unpacked, with its threads, and names what it copied", async () => {
    execFileSync("npm", ["pack", "--ignore-scripts", "--offline", "--pack-destination", at()], {
      cwd: root,
      stdio: "pipe",
    });
    const packed = readdirSync(at()).find((name) => name.endsWith(".tgz")) ?? "";
    execFileSync("tar", ["xf", packed], { cwd: at() });
    symlinkSync(join(root, "node_modules"), at("node_modules"));
    const program = at("package", "dist/cli/main.js");
    assert.match(readFileSync(at("package", "dist/cli/LICENSES.txt"), "utf8"), /@grpc\/grpc-js 1/);

    const file = at("file.bin");
    writeFileSync(file, randomFillSync(Buffer.alloc(9 * 1024 * 1024)));
    const version = await run(["--version"], { program });
    assert.match(version.stdout, /^\d+\.\d+\.\d+\n$/);
    const ports = (await freePorts(2)).map(String);
    const env = { XDG_CACHE_HOME: at("cache") };
    const serving = await startServing(["-f", file, "-p", ...ports], { program, env });
    try {
      const got = await run(["get", "-o", at("got.bin"), "-p", ...ports], { program });
      assert.equal(got.code, 0, got.stderr);
      assert.ok(readFileSync(at("got.bin")).equals(readFileSync(file)));
      const verified = await run(["verify", at("got.bin"), "--name", "file.bin", "-p", ...ports], {
        program,
      });
      assert.equal(verified.code, 0, verified.stderr);
    } finally {
      await serving.end();
    }
  });
});
