/**
 * Another process swaps files and folders for links that lead outside, as fast as it can, while
 * they are opened by name. `RACE_SECONDS=60` runs for longer.
 */

import assert from "node:assert/strict";
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdir, open, realpath, writeFile } from "node:fs/promises";
import { join, sep } from "node:path";
import { type SharedFolder, shareFolder } from "../../src/files/shared-folder.js";
import { ReplicaFault } from "../../src/ports.js";
import { hashFile } from "../../src/threads/hash-file.js";
import { scratchFolder } from "../support/scratch-folder.js";

const raceMs = Number(process.env.RACE_SECONDS ?? 10) * 1000;
/** Opens on their way at once: one waits for the disk while others walk. */
const atOnce = 4;
const names = ["file", "sub/secret", "sub/deep/secret"];

/** Each round puts a link in the place of a file, and one in the place of a folder. */
const swap = `
  const fs = require("fs");
  const { mkdirSync, renameSync, rmdirSync, symlinkSync, unlinkSync, writeFileSync } = fs;
  process.chdir(process.argv[1]);
  process.on("disconnect", () => process.exit());
  let swaps = 0;
  process.on("message", () => process.send({ swaps }));
  const round = () => {
    for (let count = 0; count < 50; count++) {
      symlinkSync("../outside/secret", "draft"); renameSync("draft", "file");
      writeFileSync("draft", "inside"); renameSync("draft", "file");
      renameSync("sub", "away"); symlinkSync("../outside", "sub");
      unlinkSync("sub"); renameSync("away", "sub");
      mkdirSync("brief"); rmdirSync("brief");
      swaps += 2;
    }
    setImmediate(round);
  };
  round();
  process.send({ swaps });`;

describe("a shared folder whose entries are swapped for links all the time", function () {
  this.timeout(raceMs + 30_000);
  let files: SharedFolder;
  let swapper: ChildProcess;
  // Before the folder is removed: hooks run in the order in which they were registered.
  afterEach(async () => {
    swapper.kill("SIGKILL");
    await once(swapper, "exit");
    await files.close();
  });
  const at = scratchFolder();
  beforeEach(async () => {
    await mkdir(at("shared/sub/deep"), { recursive: true });
    await mkdir(at("outside/deep"), { recursive: true });
    await writeFile(at("shared/file"), "inside");
    for (const name of names.slice(1)) {
      await writeFile(at("shared", name), "inside");
      await writeFile(at("outside", name.slice("sub/".length)), "secret");
    }
    files = await shareFolder(at("shared"), hashFile);
    swapper = spawn(process.execPath, ["-e", swap, at("shared")], {
      stdio: ["ignore", "inherit", "inherit", "ipc"],
    });
    await once(swapper, "message");
  });

  it(`gives no byte from outside in ${raceMs / 1000} s, where asking for realpath first does`, async () => {
    const seen = { inside: 0, missing: 0, leakedByRealpath: 0 };
    const end = performance.now() + raceMs;
    const race = async (turn: number) => {
      for (let round = turn; performance.now() < end; round++) {
        const name = names[round % names.length] ?? "";
        const content = await contentOf(files, name);
        // Just made, the file is still empty.
        assert.ok(content === undefined || "inside".startsWith(content), `${name}: ${content}`);
        seen[content === undefined ? "missing" : "inside"]++;
        const careless = await afterRealpath(at("shared"), name);
        if (careless === "secret") seen.leakedByRealpath++;
      }
    };
    await Promise.all(Array.from({ length: atOnce }, (_, turn) => race(turn)));
    const counted = once(swapper, "message");
    swapper.send("count");
    const [{ swaps }] = (await counted) as [{ readonly swaps: number }];
    const { inside, missing, leakedByRealpath } = seen;
    process.stdout.write(
      `      ${inside} opens and ${missing} refusals among ${swaps} swaps; ` +
        `${leakedByRealpath} times outside by realpath\n`,
    );
    assert.ok(inside > 0 && missing > 0, `both came about: ${JSON.stringify(seen)}`);
    assert.ok(leakedByRealpath > 0, "the race can be lost");
  });

  it("can be listed, and names nothing but what is inside", async () => {
    for (const end = performance.now() + 1000; performance.now() < end; ) {
      const page = await files.list({ pageSize: 0, pageToken: "", prefix: "" });
      for (const { name, size } of page.files) {
        assert.match(name, /^(file|draft|(sub|away)\/(deep\/)?secret)$/);
        assert.ok(size <= "inside".length);
      }
    }
  });
});

/** What the file holds; `undefined` when it is called missing. */
async function contentOf(files: SharedFolder, name: string): Promise<string | undefined> {
  try {
    const file = await files.open(name);
    const buffer = Buffer.alloc(100);
    const length = await file.read(0, buffer);
    await file.close();
    return buffer.toString("utf8", 0, length);
  } catch (error) {
    if (error instanceof ReplicaFault && error.fault.kind === "missing") return undefined;
    throw error;
  }
}

/** The same by one who looks first where the name leads, and opens it then. */
async function afterRealpath(folder: string, name: string): Promise<string | undefined> {
  try {
    const path = join(folder, name);
    if (!(await realpath(path)).startsWith(folder + sep)) return undefined;
    const handle = await open(path);
    try {
      return await handle.readFile("utf8");
    } finally {
      await handle.close();
    }
  } catch {
    // Just then there was nothing.
    return undefined;
  }
}
