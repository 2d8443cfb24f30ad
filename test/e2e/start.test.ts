/** The program as users get it: a package of bundled files that load only what a command needs. */

import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { randomFillSync } from "node:crypto";
import { readdirSync, readFileSync, symlinkSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { freePorts, mainPath, run, startServing } from "../support/cli.js";
import { type At, scratchFolder } from "../support/scratch-folder.js";

const root = join(import.meta.dirname, "../..");
const built = dirname(mainPath);

/** What a run executed: files of the bundle, by their paths here, and modules of Node (`node:…`). */
async function loadedBy(args: readonly string[], coverage: string): Promise<string[]> {
  await run(args, { env: { NODE_V8_COVERAGE: coverage } });
  const reports = readdirSync(coverage).map((name) => readFileSync(join(coverage, name), "utf8"));
  const scripts = reports.flatMap((text) => (JSON.parse(text) as Coverage).result);
  // What esbuild makes of a file is a function with its path as name, unless it is always needed.
  const program = readFileSync(join(built, "program.js"), "utf8");
  const functions = new Set(
    [...program.matchAll(/__(?:esm|commonJS)\(\{\n +"([^"]+)"/g)].map((match) => match[1]),
  );
  const always = [...program.matchAll(/^\/\/ ((?:src|gen|node_modules)\/\S+)$/gm)].flatMap(
    ([, path = ""]) => (functions.has(path) ? [] : [path]),
  );
  return [
    ...always,
    ...scripts.map(({ url }) => url),
    ...scripts.flatMap(({ functions }) =>
      functions.flatMap(({ functionName, ranges }) => (ranges[0]?.count ? [functionName] : [])),
    ),
  ];
}

/** What V8 writes into the folder that NODE_V8_COVERAGE names. */
interface Coverage {
  readonly result: readonly {
    readonly url: string;
    readonly functions: readonly {
      readonly functionName: string;
      readonly ranges: readonly { readonly count: number }[];
    }[];
  }[];
}

/** What a `get` of that name executes, from replicas that have `small.bin`. */
async function loadedByGet(name: string, at: At): Promise<string[]> {
  writeFileSync(at("small.bin"), "small");
  const ports = (await freePorts(3)).map(String);
  const env = { XDG_CACHE_HOME: at("cache") };
  const serving = await startServing(["-f", at("small.bin"), "-p", ...ports], { env });
  try {
    return await loadedBy(["get", name, "-o", at("got"), "-p", ...ports], at("coverage"));
  } finally {
    await serving.end();
  }
}

describe("the start", function () {
  this.timeout(120_000);
  const at = scratchFolder();
  const needlessForFlags = new RegExp(
    [
      "grpc|protobuf|log-update",
      "^src/(api|download|files/(?!foreground)|grpc|serve/.*-replica|threads)/",
      "^node:(http2|tls|crypto|child_process|worker_threads|dns/promises)$",
    ].join("|"),
  );
  const needlessForGet = new RegExp(
    [
      "node_modules/(@grpc|nice-grpc|log-update|pino|prom-client)",
      "node_modules/@bufbuild/protobuf/dist/esm/(codegen|reflect|wkt)",
      "^gen/",
      "^src/(serve/.*-replica|grpc/(replica-server|status|channel))",
      "^node:(http2|tls|inspector|child_process|worker_threads|dns/promises|readline/promises)$",
    ].join("|"),
  );

  it("bin names the program that these tests run", () => {
    const { bin } = JSON.parse(readFileSync(join(root, "package.json"), "utf8"));
    assert.equal(join(root, bin.quorate), mainPath);
  });

  it("without a command, nothing but flags is loaded: no wire, no disk, no download", async () => {
    const loaded = await loadedBy(["--help"], at("help"));
    assert.ok(loaded.includes("src/cli/main.ts"));
    assert.deepEqual(
      loaded.filter((path) => needlessForFlags.test(path)),
      [],
    );
  });

  it("get whose flags are wrong loads no wire", async () => {
    const loaded = await loadedBy(
      ["get", "--quorum", "2", "--digest", `sha256:${"0".repeat(64)}`],
      at("wrong"),
    );
    assert.ok(loaded.includes("src/cli/get.ts"));
    assert.deepEqual(
      loaded.filter((path) => /^node_modules\/(@grpc|nice-grpc|@bufbuild)/.test(path)),
      [],
    );
  });

  it("a get that finds nothing wrong loads no live view, nothing of serve, no gRPC of others", async () => {
    const loaded = await loadedByGet("small.bin", at);
    assert.ok(loaded.includes("src/grpc/lane.ts"));
    assert.deepEqual(
      loaded.filter((path) => needlessForGet.test(path)),
      [],
    );
  });

  it("a get of what nobody has loads Node's HTTP/2, which reads the answer", async () => {
    assert.ok((await loadedByGet("nobody.bin", at)).includes("node:http2"));
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
