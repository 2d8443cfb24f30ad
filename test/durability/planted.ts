/** Copies of the built program with a bug planted in them: what a proof must be able to find. */

import { cpSync, mkdirSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";

const root = join(import.meta.dirname, "../..");

/** A text to be replaced, in one built file. */
export interface Patch {
  /** Below `dist/src`. */
  readonly file: string;
  readonly from: string | RegExp;
  readonly to: string;
}

/** The bugs, by what the program does wrong. */
export const bugs = {
  /** Publishes first, and fills then. */
  early: [
    {
      file: "download/attempt.js",
      from: /(const \w+ = await fill\()/,
      to: "await partial.publish(); $1",
    },
  ],
  /** Never tells the journal what it has. */
  forgetful: [
    {
      file: "download/checkpoint.js",
      from: "this.#partial.journal.append(this.#pending.splice(0))",
      to: "Promise.resolve(this.#pending.splice(0))",
    },
  ],
  /** Gives a file of one piece its name before its bytes are durable. */
  hollow: [
    { file: "files/one-piece-file.js", from: /await \(await this\.#opening\)\.sync\(\);/, to: "" },
  ],
  /** Says that a file of one piece is there before its name is durable. */
  nameless: [
    { file: "files/one-piece-file.js", from: /await this\.#syncFolder\(folder\);/, to: "" },
  ],
} as const satisfies Record<string, readonly Patch[]>;

/** Makes a patched copy in an empty `folder`; gives its program. Throws when there is nothing to patch. */
export function plantedProgram(folder: string, patches: readonly Patch[]): string {
  mkdirSync(folder, { recursive: true });
  cpSync(join(root, "dist"), join(folder, "dist"), { recursive: true });
  cpSync(join(root, "package.json"), join(folder, "package.json"));
  symlinkSync(join(root, "node_modules"), join(folder, "node_modules"));
  for (const { file, from, to } of patches) {
    const path = join(folder, "dist/src", file);
    const text = readFileSync(path, "utf8");
    const patched = text.replace(from, to);
    if (patched === text)
      throw new Error(`nothing in ${file} matches ${from}: the bug is not planted`);
    writeFileSync(path, patched);
  }
  return join(folder, "dist/src/cli/main.js");
}

/** A copy that syncs nothing at all: what durability costs is measured against it. */
export function unsyncedProgram(folder: string): string {
  const files = readdirSync(join(root, "dist/src/files")).filter((name) => name.endsWith(".js"));
  const program = plantedProgram(folder, []);
  for (const file of files) {
    const path = join(folder, "dist/src/files", file);
    const text = readFileSync(path, "utf8");
    writeFileSync(path, text.replace(/await (\w+)\.(?:data)?sync\(\)/g, "await $1.stat()"));
  }
  return program;
}
