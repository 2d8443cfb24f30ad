import assert from "node:assert/strict";
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdir, writeFile } from "node:fs/promises";
import { type SharedFolder, shareFolder } from "../../src/files/shared-folder.js";
import { ReplicaFault } from "../../src/ports.js";
import { hashFile } from "../../src/threads/hash-file.js";
import { scratchFolder } from "../support/scratch-folder.js";

/**
 * Another process's work, as fast as it can: a file, then a link in its place; folders likewise.
 */
const swap = `
  const fs = require("fs");
  const { mkdirSync, renameSync, rmdirSync, symlinkSync, unlinkSync, writeFileSync } = fs;
  process.chdir(process.argv[1]);
  process.on("disconnect", () => process.exit());
  const round = () => {
    for (let count = 0; count < 50; count++) {
      symlinkSync("../outside/secret", "draft"); renameSync("draft", "file");
      writeFileSync("draft", "inside"); renameSync("draft", "file");
      renameSync("sub", "away"); symlinkSync("../outside", "sub");
      unlinkSync("sub"); renameSync("away", "sub");
      mkdirSync("brief"); rmdirSync("brief");
    }
    setImmediate(round);
  };
  round();
  process.send("begun");`;

describe("a shared folder whose entries are swapped for links all the time", () => {
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
    await mkdir(at("shared/sub"), { recursive: true });
    await mkdir(at("outside"));
    await writeFile(at("shared/file"), "inside");
    await writeFile(at("shared/sub/secret"), "inside");
    await writeFile(at("outside/secret"), "secret");
    files = await shareFolder(at("shared"), hashFile);
    swapper = spawn(process.execPath, ["-e", swap, at("shared")], {
      stdio: ["ignore", "inherit", "inherit", "ipc"],
    });
    await once(swapper, "message");
  });

  it("gives no byte from outside", async () => {
    const seen = { inside: 0, missing: 0 };
    for (const end = Date.now() + 2000; Date.now() < end; ) {
      for (const name of ["file", "sub/secret"]) {
        const content = await contentOf(files, name);
        // Just made, the file is still empty.
        assert.ok(content === undefined || "inside".startsWith(content), `${name}: ${content}`);
        seen[content === undefined ? "missing" : "inside"]++;
      }
    }
    assert.ok(seen.inside > 0 && seen.missing > 0, `both came about: ${JSON.stringify(seen)}`);
  });

  it("can be listed, and names nothing but what is inside", async () => {
    for (const end = Date.now() + 1000; Date.now() < end; ) {
      const page = await files.list({ pageSize: 0, pageToken: "", prefix: "" });
      for (const { name, size } of page.files) {
        assert.match(name, /^(file|draft|(sub|away)\/secret)$/);
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
