import assert from "node:assert/strict";
import { spawn, spawnSync } from "node:child_process";
import { type FileHandle, open, readFile, stat, unlink, writeFile } from "node:fs/promises";
import { StorageError } from "../../src/errors.js";
import { lockFile } from "../../src/files/lock.js";
import { scratchFolder, withoutPrograms } from "../support/scratch-folder.js";

describe("lockFile", () => {
  const at = scratchFolder();
  const handles: FileHandle[] = [];
  afterEach(async () => {
    for (const handle of handles.splice(0)) await handle.close();
  });
  const opened = async () => {
    const handle = await open(at("file"), "a");
    handles.push(handle);
    return handle;
  };
  const lock = async () => lockFile(await opened(), at("file"));

  it("gives the lock to one, names it to others, and frees it when the file is closed", async () => {
    const first = await opened();
    await lockFile(first, at("file"));
    await assert.rejects(lock(), isHeld);
    await first.close();
    await lock();
  });

  it("leaves no lock file where there is flock", async () => {
    await lock();
    await assert.rejects(stat(at("file.lock")), { code: "ENOENT" });
  });

  describe("where there is no flock", () => {
    const lockByFile = () => withoutPrograms(lock);

    it("writes our process id into a lock file, and removes it in the end", async () => {
      const unlock = await lockByFile();
      assert.equal(await readFile(at("file.lock"), "utf8"), String(process.pid));
      assert.equal((await stat(at("file.lock"))).mode & 0o777, 0o600);
      await unlock();
      await assert.rejects(stat(at("file.lock")), { code: "ENOENT" });
    });

    it("gives the lock to one, and to the next one when it is let go", async () => {
      const unlock = await lockByFile();
      await assert.rejects(lockByFile(), isHeld);
      await unlock();
      await lockByFile();
    });

    it("respects another process that lives", async () => {
      const sleeper = spawn("sleep", ["60"]);
      try {
        await writeFile(at("file.lock"), String(sleeper.pid));
        await assert.rejects(lockByFile(), isHeld);
        assert.equal(await readFile(at("file.lock"), "utf8"), String(sleeper.pid));
      } finally {
        sleeper.kill();
      }
    });

    it("takes over from a process that is dead, and from what never was one", async () => {
      const { pid } = spawnSync("true");
      for (const stale of [String(pid), "garbage", "-1"]) {
        await writeFile(at("file.lock"), stale);
        const unlock = await lockByFile();
        assert.equal(await readFile(at("file.lock"), "utf8"), String(process.pid));
        await unlock();
      }
    });

    it("gives the lock to one of many that want it at once", async () => {
      const { pid } = spawnSync("true");
      for (let round = 0; round < 50; round++) {
        // Taken over from the dead in every other round.
        if (round % 2 === 1) await writeFile(at("file.lock"), String(pid));
        const handles = await Promise.all(Array.from({ length: 8 }, opened));
        const outcomes = await withoutPrograms(() =>
          Promise.allSettled(handles.map((handle) => lockFile(handle, at("file")))),
        );
        const got = outcomes.filter((outcome) => outcome.status === "fulfilled");
        assert.equal(got.length, 1, `round ${round}`);
        for (const outcome of got) await outcome.value();
      }
    });

    it("unlocks without a word when somebody removed the lock file", async () => {
      const unlock = await lockByFile();
      await unlink(at("file.lock"));
      await unlock();
    });
  });
});

function isHeld(error: unknown): boolean {
  return error instanceof StorageError && /^lock .*file: another quorate/.test(error.message);
}
