/**
 * Names by the million, through the walker itself, in a folder full of links that lead outside:
 * what comes back is one of the files inside, or nothing. `NAMES=10000000` asks for more, and
 * `SEED=n` for others.
 */

import assert from "node:assert/strict";
import { constants } from "node:fs";
import { open, readFile } from "node:fs/promises";
import { join } from "node:path";
import { type SharedFolder, shareFolder } from "../../src/files/shared-folder.js";
import { ReplicaFault } from "../../src/ports.js";
import { hashFile } from "../../src/threads/hash-file.js";
import { isHidden, nameProblem } from "../../src/trust/name.js";
import { scratchFolder } from "../support/scratch-folder.js";
import { Seeded, seed } from "../support/seeded.js";
import { secretMark, served, trapFolder, vocabulary } from "./trapped-folder.js";

const count = Number(process.env.NAMES ?? 1_000_000);
/** Names on their way at once: libuv opens four at a time. */
const atOnce = 64;

/** What no name may hold, or be a component of. */
const refused = [
  ...["..", ".", "../", "/..", "//", "/", "./", "..\\", "\\", "..\0", "\0", "\n", "\x1b", "\x7f"],
  ...["\u202e", "\u2066", "\u2028", "\u0085", "\ufffd", "\ud800", "\udfff", "C:\\", "/etc/passwd"],
];
/** What only looks as if it did: other dots, other slashes, escapes. */
const lookalikes = [
  ...["...", "%2e%2e", "%2f", "%00", "..;", "~", "~root", "file:", "nul", "-", "*", "?", " ", "a "],
  ...[
    "\u2024",
    "\u2025",
    "\uff0e",
    "\uff0e\uff0e",
    "\u2215",
    "\uff0f",
    "\u2044",
    "\u29f5",
    "a\u0301",
  ],
  ...["\u200b", "\ufeff", "\u00ad", "x".repeat(300)],
];

/** A name: about one in five is one that the grammar lets through to the walker. */
function nameFrom(chance: Seeded): string {
  const known = () => chance.pick(vocabulary) ?? "";
  const unit = () => String.fromCharCode(chance.below(chance.below(2) === 0 ? 0x80 : 0x1_0000));
  const several = (most: number, part: () => string) =>
    Array.from({ length: 1 + chance.below(most) }, part);
  const mixed = (odd: readonly string[], separator: string) => {
    const parts = several(5, known);
    parts.splice(chance.below(parts.length + 1), chance.below(2), chance.pick(odd) ?? "");
    return parts.join(separator);
  };
  const kind = chance.below(16);
  if (kind < 2) return several(3, known).join("/");
  if (kind === 2) return mixed(lookalikes, chance.pick(["", "/"]) ?? "");
  if (kind < 9) return mixed(refused, "/");
  if (kind < 12) return mixed(refused, "");
  if (kind < 14) return several(12, unit).join("");
  return `${"../".repeat(1 + chance.below(12))}${several(4, known).join("/")}`;
}

/** What a name gives; `undefined` when it is called missing, or nobody may read it. */
async function contentOf(files: SharedFolder, name: string): Promise<string | undefined> {
  try {
    const file = await files.open(name);
    try {
      const buffer = Buffer.alloc(64);
      return buffer.toString("utf8", 0, await file.read(0, buffer));
    } finally {
      await file.close();
    }
  } catch (error) {
    if (error instanceof ReplicaFault && /^(missing|denied)$/.test(error.fault.kind)) return;
    throw new Error(`${JSON.stringify(name)}, seed ${seed}`, { cause: error });
  }
}

/** What a walker would give that asked the grammar and then followed whatever it met. */
async function followed(folder: string, name: string): Promise<string | undefined> {
  if (nameProblem(name) !== undefined || isHidden(name)) return undefined;
  try {
    const handle = await open(join(folder, name), constants.O_RDONLY | constants.O_NONBLOCK);
    try {
      const { buffer, bytesRead } = await handle.read(Buffer.alloc(64), 0, 64, 0);
      return buffer.toString("utf8", 0, bytesRead);
    } finally {
      await handle.close();
    }
  } catch {
    // Not there, a folder, or nothing that can be read: no leak.
    return undefined;
  }
}

describe("names by the million", function () {
  this.timeout(600_000 + count);
  const at = scratchFolder();
  let files: SharedFolder;
  beforeEach(async () => {
    await trapFolder(at);
    files = await shareFolder(at("shared"), hashFile);
  });
  afterEach(() => files.close());

  it(`${count} of them give the files inside, and not a byte from outside`, async () => {
    const chance = new Seeded(seed);
    const seen = { walked: 0, inside: 0 };
    const met = new Set<string>();
    let left = count;
    const ask = async () => {
      while (left-- > 0) {
        const name = nameFrom(chance);
        if (nameProblem(name) === undefined && !isHidden(name)) seen.walked++;
        const content = await contentOf(files, name);
        if (content === undefined) continue;
        assert.equal(content, `inside ${name}`, `${JSON.stringify(name)}, seed ${seed}`);
        met.add(name);
        seen.inside++;
      }
    };
    await Promise.all(Array.from({ length: atOnce }, ask));
    process.stdout.write(
      `      ${seen.walked} got to the walker, ${seen.inside} were read inside\n`,
    );
    assert.ok(met.size > served.length / 2, `of all files, ${[...met]} were met`);
    assert.ok(seen.walked > count / 10, "a fair share reached the walker");
  });

  it("the same names get out by the dozen where links are followed", async () => {
    const chance = new Seeded(seed);
    const leaked = new Set<string>();
    for (let asked = 0; asked < 20_000; asked++) {
      const name = nameFrom(chance);
      if ((await followed(at("shared"), name))?.startsWith(secretMark)) leaked.add(name);
    }
    assert.ok(leaked.size >= 12, `${leaked.size} ways out`);
    assert.match(await readFile(at("outside/secret"), "utf8"), new RegExp(`^${secretMark}`));
  });
});
