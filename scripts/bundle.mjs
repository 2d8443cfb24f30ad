/**
 * Bundles the command line into dist/cli: one file starts sooner than hundreds, and V8 can keep what
 * it made of it (`code-cache.mjs`). What a command does not need is in that file, but is not run.
 * Each thread begins in a file of its own.
 */

import { chmodSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";
import { build } from "esbuild";
import { makeCodeCache } from "./code-cache.mjs";

const require = createRequire(import.meta.url);
const root = join(import.meta.dirname, "..");
const outdir = join(root, "dist/cli");
const threads = readdirSync(join(root, "src/threads"))
  .filter((name) => name.endsWith("-worker.ts") && name !== "run-worker.ts")
  .map((name) => ({ in: `src/threads/${name}`, out: name.replace(/\.ts$/, "") }));

const options = {
  absWorkingDir: root,
  outdir,
  bundle: true,
  // V8 keeps code of scripts, not of modules.
  format: "cjs",
  platform: "node",
  target: "node20",
  minifySyntax: true,
  logLevel: "warning",
};

rmSync(outdir, { recursive: true, force: true });
await build({
  ...options,
  entryPoints: [{ in: "scripts/launcher.cjs", out: "main" }],
  external: ["./program.js"],
});
const { metafile } = await build({
  ...options,
  entryPoints: [{ in: "src/cli/main.ts", out: "program" }, ...threads],
  metafile: true,
  plugins: [
    { name: "past-the-index", setup: pastTheIndex },
    { name: "known-version", setup: knownVersion },
    { name: "when-used", setup: whenUsed },
  ],
  // Only few runs want a log or metrics, and none the schema of grpc-js's channelz service.
  external: ["pino", "prom-client", "@grpc/proto-loader"],
  // A script made with `vm` has `require`, but no `import()`.
  supported: { "dynamic-import": false },
  define: { "import.meta.url": "moduleUrl" },
  // Strict as modules are, which has to be said first.
  banner: {
    js: '"use strict"; const moduleUrl = require("node:url").pathToFileURL(__filename).href;',
  },
});
chmodSync(join(outdir, "main.js"), 0o755);
writeFileSync(join(outdir, "package.json"), '{ "type": "commonjs" }\n');
writeFileSync(join(outdir, "LICENSES.txt"), licenses(Object.keys(metafile.inputs)));
await makeCodeCache(outdir);

/** The version is known now, and need not be looked for at each start. */
function knownVersion({ onLoad }) {
  const { version } = JSON.parse(readFileSync(join(root, "package.json"), "utf8"));
  onLoad({ filter: /[/\\]src[/\\]version\.ts$/ }, () => ({
    contents: `export const version = ${JSON.stringify(version)};`,
  }));
}

/** Modules of Node that are slow to load are loaded when something of them is first used. */
function whenUsed({ onResolve, onLoad }) {
  const modules = "crypto|child_process|dns/promises|readline/promises|worker_threads";
  const filter = new RegExp(`^(?:node:)?(?:${modules})$`);
  onResolve({ filter }, ({ path, namespace }) =>
    namespace === "when-used" ? { path, external: true } : { path, namespace: "when-used" },
  );
  onLoad({ filter, namespace: "when-used" }, ({ path }) => {
    const names = Object.keys(require(path)).map(
      (name) => `get ${name}() { return all().${name}; }`,
    );
    const contents = `
      let loaded;
      const all = () => (loaded ??= require("${path}"));
      module.exports = { ${names.join(", ")} };
    `;
    return { contents };
  });
}

/**
 * Lets src/cli import from where a thing is, instead of from src/index.ts or src/command-line.ts: by
 * way of these, each command would run all that there is.
 */
function pastTheIndex({ onLoad }) {
  const lists = ["index", "command-line"].map((name) => join(root, `src/${name}.ts`));
  const exported = lists.map((path) => readFileSync(path, "utf8")).join("");
  const homes = new Map();
  for (const [, names, home] of exported.matchAll(
    /^export (?:type )?\{([^}]*)\} from "(.*)";$/gm,
  )) {
    for (const name of namesOf(names)) homes.set(name.replace(/^type /, ""), home);
  }
  onLoad({ filter: /[/\\]src[/\\]cli[/\\][^/\\]+\.ts$/ }, ({ path }) => {
    const statements = /^import (type )?\{([^}]*)\} from "\.\.\/(?:index|command-line)\.js";$/gm;
    const contents = readFileSync(path, "utf8").replace(statements, (_, isType, names) => {
      const values = isType ? [] : namesOf(names).filter((name) => !name.startsWith("type "));
      return values.map((name) => `import { ${name} } from ".${homeOf(name)}";`).join(" ");
    });
    if (/"\.\.\/(?:index|command-line)\.js"/.test(contents)) {
      throw new Error(`${path}: imports the index otherwise`);
    }
    return { contents, loader: "ts" };
  });
  const homeOf = (name) => {
    const home = homes.get(name);
    if (home === undefined) throw new Error(`neither index.ts nor command-line.ts exports ${name}`);
    return home;
  };
}

function namesOf(list) {
  return list
    .split(",")
    .map((name) => name.trim())
    .filter((name) => name !== "");
}

/** What a copy of somebody's code has to say: the license of each package that is in the bundle. */
function licenses(inputs) {
  const folders = new Set(
    inputs.flatMap((path) => /^.*node_modules\/(?:@[^/]+\/)?[^/]+/.exec(path)?.[0] ?? []),
  );
  const texts = [...folders].sort().map((folder) => {
    const { name, version, license } = JSON.parse(
      readFileSync(join(root, folder, "package.json"), "utf8"),
    );
    const files = readdirSync(join(root, folder)).filter((file) =>
      /^(licen[cs]e|notice)/i.test(file),
    );
    const said = files.map((file) => readFileSync(join(root, folder, file), "utf8").trim());
    return [`${name} ${version} (${license})`, ...said].join("\n\n");
  });
  return `${texts.join(`\n\n${"-".repeat(80)}\n\n`)}\n`;
}
