/**
 * Bundles the command line into dist/cli: a few files start sooner than hundreds. What a command
 * does not need stays in chunks of their own, and each thread begins in a file of its own.
 */

import { readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { build } from "esbuild";

const root = join(import.meta.dirname, "..");
const outdir = join(root, "dist/cli");
const entryPoints = [
  "src/cli/main.ts",
  ...readdirSync(join(root, "src/threads"))
    .filter((name) => name.endsWith("-worker.ts") && name !== "run-worker.ts")
    .map((name) => `src/threads/${name}`),
];

rmSync(outdir, { recursive: true, force: true });
const { metafile } = await build({
  absWorkingDir: root,
  entryPoints,
  outdir,
  entryNames: "[name]",
  bundle: true,
  splitting: true,
  format: "esm",
  platform: "node",
  target: "node20",
  minifySyntax: true,
  metafile: true,
  logLevel: "warning",
  plugins: [{ name: "past-the-index", setup: pastTheIndex }],
  // Only few runs want a log or metrics, and none the schema of grpc-js's channelz service.
  external: ["pino", "prom-client", "@grpc/proto-loader"],
  // CommonJS packages ask for Node's own modules by `require`, which modules do not have.
  banner: {
    js: [
      'import { createRequire as requireFrom } from "node:module";',
      "const require = requireFrom(import.meta.url);",
    ].join("\n"),
  },
});
writeFileSync(join(outdir, "LICENSES.txt"), licenses(Object.keys(metafile.inputs)));

/**
 * Lets src/cli import from where a thing is, instead of from src/index.ts: by way of the index, each
 * chunk would reach all that there is, for chunks are cut by files.
 */
function pastTheIndex({ onLoad }) {
  const index = readFileSync(join(root, "src/index.ts"), "utf8");
  const homes = new Map();
  for (const [, names, home] of index.matchAll(/^export (?:type )?\{([^}]*)\} from "(.*)";$/gm)) {
    for (const name of namesOf(names)) homes.set(name.replace(/^type /, ""), home);
  }
  onLoad({ filter: /[/\\]src[/\\]cli[/\\][^/\\]+\.ts$/ }, ({ path }) => {
    const statements = /^import (type )?\{([^}]*)\} from "\.\.\/index\.js";$/gm;
    const contents = readFileSync(path, "utf8").replace(statements, (_, isType, names) => {
      const values = isType ? [] : namesOf(names).filter((name) => !name.startsWith("type "));
      return values.map((name) => `import { ${name} } from ".${homeOf(name)}";`).join(" ");
    });
    if (contents.includes('"../index.js"')) throw new Error(`${path}: imports the index otherwise`);
    return { contents, loader: "ts" };
  });
  const homeOf = (name) => {
    const home = homes.get(name);
    if (home === undefined) throw new Error(`src/index.ts exports no ${name}`);
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
