import assert from "node:assert/strict";
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { writeFile } from "node:fs/promises";
import { StorageError } from "../../src/errors.js";
import { openPartialFile } from "../../src/files/partial-file.js";
import { resolveTarget } from "../../src/files/target.js";
import { manifestOfBytes } from "../support/memory-partial.js";
import { scratchFolder, withoutPrograms } from "../support/scratch-folder.js";

const manifest = manifestOfBytes(Buffer.alloc(1000, "quorate"));

describe("an output that somebody is writing", () => {
  const at = scratchFolder();
  let holder: ChildProcess | undefined;
  afterEach(() => {
    holder?.kill("SIGKILL");
    holder = undefined;
  });

  it("is refused to the same process, naming the lock", async () => {
    await using _first = await open(at("out"));
    await assert.rejects(open(at("out")), isHeld);
  });

  it("is free again once the first is closed, published or discarded", async () => {
    for (const end of ["close", "discard", "publish"] as const) {
      {
        await using first = await open(at(end));
        if (end !== "close") await first[end]();
      }
      await using second = await open(at(end), { isForced: true });
      assert.equal(second.leftoverBytes, end === "close" ? 1000 : 0);
    }
  });

  it("is refused to another process, and free once the holder is killed with -9", async () => {
    holder = await holderOf(at("out"));
    await assert.rejects(open(at("out")), isHeld);
    holder.kill("SIGKILL");
    await once(holder, "exit");
    await using partial = await open(at("out"));
    assert.equal(partial.leftoverBytes, 1000);
  });

  it("is refused and freed in the same way where there is no flock", async () => {
    holder = await holderOf(at("out"), { PATH: "/nonexistent" });
    await withoutPrograms(() => assert.rejects(open(at("out")), isHeld));
    holder.kill("SIGKILL");
    await once(holder, "exit");
    await withoutPrograms(async () => {
      await using partial = await open(at("out"));
      assert.equal(partial.leftoverBytes, 1000);
    });
  });

  it("is to be had for every name that an output can have, where there is no flock", async () => {
    for (const bytes of [1, 198, 199, 200, 201, 255]) {
      await withoutPrograms(async () => {
        await using partial = await open(at("n".repeat(bytes)));
        assert.equal(partial.leftoverBytes, 0);
      });
    }
  });

  it("is refused to a run that would replace it with force", async () => {
    await writeFile(at("out"), "old");
    await using _first = await open(at("out"), { isForced: true });
    await assert.rejects(open(at("out"), { isForced: true }), isHeld);
  });

  it("is another one than its neighbour in the same folder", async () => {
    await using _first = await open(at("out"));
    await using _second = await open(at("out2"));
  });
});

describe("a run that begins while another one publishes, both with force", () => {
  const at = scratchFolder();

  it("is refused, or keeps the partial that it made", async function () {
    this.timeout(120_000);
    for (let round = 0; round < 40; round++) {
      const first = await open(at("out"), { isForced: true });
      const published = first.publish();
      const second = await openOnceFree(at("out"));
      await published;
      await second.publish();
      await first[Symbol.asyncDispose]();
      await second[Symbol.asyncDispose]();
    }
  });
});

async function open(output: string, { isForced = false } = {}) {
  const target = await resolveTarget(output, "x");
  return openPartialFile(target, { manifest, isForced, resumes: true });
}

async function openOnceFree(output: string) {
  for (;;) {
    try {
      return await open(output, { isForced: true });
    } catch (error) {
      if (!isHeld(error)) throw error;
    }
  }
}

function isHeld(error: unknown): boolean {
  return error instanceof StorageError && /lock .*\.out\.quorate-/.test(error.message);
}

/** Another process that has the partial open, until it is killed. */
async function holderOf(output: string, env: NodeJS.ProcessEnv = {}): Promise<ChildProcess> {
  const source = (path: string) => JSON.stringify(new URL(`../../src/${path}`, import.meta.url));
  const plain = { ...manifest, pieces: [] };
  const code = `
    import { openPartialFile } from ${source("files/partial-file.ts")};
    import { resolveTarget } from ${source("files/target.ts")};
    const target = await resolveTarget(${JSON.stringify(output)}, "x");
    const options = { manifest: ${JSON.stringify(plain)}, isForced: false, resumes: true };
    globalThis.partial = await openPartialFile(target, options);
    console.log("open");
    setInterval(() => {}, 60_000);`;
  const argv = ["--import", "tsx", "--input-type=module", "-e", code];
  const child = spawn(process.execPath, argv, {
    stdio: ["ignore", "pipe", "inherit"],
    env: { ...process.env, ...env },
  });
  const opened = once(child.stdout, "data");
  const ended = once(child, "exit").then(() => Promise.reject(new Error("the holder ended")));
  // Once it is open, nobody waits for its end here any more.
  ended.catch(() => {});
  await Promise.race([opened, ended]);
  return child;
}
