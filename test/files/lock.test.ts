import assert from "node:assert/strict";
import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import {
  type FileHandle,
  mkdir,
  open,
  readdir,
  readFile,
  stat,
  unlink,
  writeFile,
} from "node:fs/promises";
import { StorageError } from "../../src/errors.js";
import { lockFile } from "../../src/files/lock.js";
import { lockByFile as lockNamed } from "../../src/files/lock-file.js";
import { ourselves, ownerText } from "../../src/files/owner.js";
import { refusing } from "../support/refusing-disk.js";
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

  it("names the process that holds it", async () => {
    const argv = ["-c", 'exec 9<>"$0"; flock 9; echo locked; exec sleep 60', at("file")];
    const holder = spawn("sh", argv, { stdio: ["ignore", "pipe", "inherit"] });
    try {
      await once(holder.stdout, "data");
      await assert.rejects(lock(), new RegExp(`writing this output \\(process ${holder.pid}\\)`));
    } finally {
      holder.kill();
    }
  });

  it("makes do with a lock file where flock says that it cannot", async () => {
    for (const script of ["exit 71", "echo flock: No locks available >&2; exit 1"]) {
      await mkdir(at("bin"), { recursive: true });
      await writeFile(at("bin/flock"), `#!/bin/sh\n${script}\n`, { mode: 0o755 });
      const { PATH } = process.env;
      process.env.PATH = at("bin");
      try {
        const unlock = await lock();
        await stat(at("file.lock"));
        await unlock();
      } finally {
        process.env.PATH = PATH;
      }
    }
  });

  it("leaves no lock file where there is flock", async () => {
    await lock();
    await assert.rejects(stat(at("file.lock")), { code: "ENOENT" });
  });

  describe("where there is no flock", () => {
    const lockByFile = () => withoutPrograms(lock);
    const lockText = () => readFile(at("file.lock"), "utf8");

    it("writes who we are into a lock file, and removes it in the end", async () => {
      const unlock = await lockByFile();
      assert.match(await lockText(), new RegExp(`^${process.pid} \\d+ [0-9a-f-]{36} [\\w.-]+$`));
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

    it("is as exclusive where there are no links either", async () => {
      const withoutLinks = () => refusing("link", "EPERM", lockByFile);
      const unlock = await withoutLinks();
      assert.equal(await lockText(), ownerText(await ourselves()));
      await assert.rejects(withoutLinks(), isHeld);
      await unlock();
      await writeFile(at("file.lock"), await lockOf(deadPid()));
      await withoutLinks();
      assert.deepEqual((await readdir(at())).sort(), ["file", "file.lock"]);
    });

    it("respects another process that lives, and names it", async () => {
      const sleeper = spawn("sleep", ["60"]);
      try {
        const lock = await lockOf(sleeper.pid ?? 0);
        await writeFile(at("file.lock"), lock);
        await assert.rejects(lockByFile(), new RegExp(`process ${sleeper.pid}\\); wait for it`));
        assert.equal(await lockText(), lock);
      } finally {
        sleeper.kill();
      }
    });

    it("takes over from who is dead, began at another time or on another start of the machine", async () => {
      const us = await ourselves();
      const stale = [
        ownerText({ ...us, pid: deadPid() }),
        ownerText({ ...us, start: "1" }),
        ownerText({ ...us, boot: "before" }),
        ...["garbage", "-1", "0 1 b h", String(process.pid)],
      ];
      for (const text of stale) {
        await writeFile(at("file.lock"), text);
        const unlock = await lockByFile();
        assert.equal(await lockText(), ownerText(us), text);
        await unlock();
      }
    });

    it("leaves alone what nobody can tell, and names what to remove", async () => {
      const elsewhere = ownerText({ ...(await ourselves()), host: "elsewhere" });
      const says = /on elsewhere\); if that is gone, remove .*file\.lock$/;
      for (const [text, told] of [
        [elsewhere, says],
        ["", /if none runs, remove .*file\.lock$/],
      ] as const) {
        await writeFile(at("file.lock"), text);
        await assert.rejects(lockByFile(), (error) => isHeld(error) && told.test(String(error)));
        assert.equal(await lockText(), text);
      }
    });

    it("names the marker of who died while he took over", async () => {
      await writeFile(at("file.lock"), "garbage");
      await writeFile(at("file.lock.taking"), await lockOf(deadPid()));
      await assert.rejects(lockByFile(), /if none runs, remove .*file\.lock\.taking$/);
    });

    it("gives the lock to one of many that want it at once", async () => {
      const dead = await lockOf(deadPid());
      for (let round = 0; round < 50; round++) {
        // Taken over from the dead in every other round.
        if (round % 2 === 1) await writeFile(at("file.lock"), dead);
        // At once: to look for a program in vain, as `lockFile` does first, keeps them apart.
        const outcomes = await Promise.allSettled(
          Array.from({ length: 8 }, () => lockNamed(at("file"))),
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

/** The lock file of another process of this machine. */
async function lockOf(pid: number): Promise<string> {
  const stat = await readFile(`/proc/${pid}/stat`, "utf8").catch(() => "");
  const start = stat.split(") ")[1]?.split(" ")[19] ?? "1";
  return ownerText({ ...(await ourselves()), pid, start });
}

function deadPid(): number {
  return spawnSync("true").pid;
}

function isHeld(error: unknown): boolean {
  return error instanceof StorageError && /^lock .*file: another quorate/.test(error.message);
}
