/** Fails when gen/ is not what `npm run gen` makes of proto/: generates anew, and compares. */

import { execFileSync } from "node:child_process";
import { cpSync, mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

const root = join(import.meta.dirname, "..");

function filesBelow(folder) {
  const paths = readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name));
  return new Map(paths.map((path) => [path.slice(folder.length), readFileSync(path, "utf8")]));
}

const scratch = mkdtempSync(join(tmpdir(), "quorate-gen-"));
try {
  for (const name of ["proto", "buf.yaml", "buf.gen.yaml"]) {
    cpSync(join(root, name), join(scratch, name), { recursive: true });
  }
  const path = `${join(root, "node_modules", ".bin")}:${process.env.PATH}`;
  execFileSync("buf", ["generate"], { cwd: scratch, env: { ...process.env, PATH: path } });
  const made = filesBelow(join(scratch, "gen"));
  const kept = filesBelow(join(root, "gen"));
  const names = new Set([...made.keys(), ...kept.keys()]);
  const stale = [...names].filter((name) => made.get(name) !== kept.get(name));
  if (stale.length > 0) {
    process.stderr.write(`gen/ is stale, run \`npm run gen\`: ${stale.join(", ")}\n`);
    process.exitCode = 1;
  }
} finally {
  rmSync(scratch, { recursive: true, force: true });
}
