/** A real process whose disk refuses: exit 7, a message that says what to do, nothing lost. */

import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { mkdir, readdir, readFile, rename, rm, writeFile } from "node:fs/promises";
import { type Finished, freePorts } from "../support/cli.js";
import { madeUp } from "../support/made-up.js";
import { smallDisk, smallDiskProblem } from "../support/scratch-folder.js";
import { Workspace } from "../support/workspace.js";
import { doneBytesOf, resumes, slowServers } from "./resuming.js";

const MiB = 1024 * 1024;
const data = madeUp(8 * MiB + 3);

describe("a disk that refuses", function () {
  this.timeout(180_000);
  const here = Workspace.forSuite();
  const fast = () => slowServers(here, data, "100MiB");

  for (const [title, PATH] of [
    ["is found out before anything is fetched", undefined],
    ["is found out without fallocate, too", "/nonexistent"],
  ] as const) {
    it(`a file-size limit (ulimit -f) ${title}`, async () => {
      const ports = await fast();
      const folder = await here.mkdir("limited");
      // In blocks of 512 bytes or 1 KiB, as the shell likes: 4 MiB at most.
      const prefix = ["/bin/sh", "-c", 'ulimit -f 4096; exec "$@"', "sh"];
      const options = { prefix, ...(PATH === undefined ? {} : { env: { PATH } }) };
      const got = await here.run(["get", "-o", folder, "-p", ...ports], options);
      assertRefused(got, /larger than the file system or `ulimit -f` allows/);
      assert.deepEqual(await readdir(folder), []);
    });
  }

  it("a folder that vanishes is noticed while there is time, and a new run begins afresh", async () => {
    const ports = await slowServers(here, data, "1MiB");
    await here.mkdir("vanishing");
    const args = ["get", "-o", "vanishing/", "-i", "0.05", "--json", "-p", ...ports];
    const getting = here.start(args);
    await getting.says(/"doneBytes":[1-9]/);
    await rm(here.path("vanishing"), { recursive: true });
    const got = await getting.finished;
    assertRefused(got, /somebody removed or replaced it, or its folder; run it again/);
    assert.ok(doneBytesOf(getting) < data.length, "it did not fetch the rest in vain");
    const again = await here.run(args);
    assertRefused(again, /write into .*vanishing: no such file or folder/);
  });

  it("a folder that is renamed keeps what was verified, under its new name", async () => {
    const ports = await slowServers(here, data, "1MiB");
    await here.mkdir("before");
    const args = (folder: string) => [
      "get",
      "-o",
      `${folder}/`,
      "-i",
      "0.05",
      "--json",
      "-p",
      ...ports,
    ];
    const getting = here.start(args("before"));
    await getting.says(/"doneBytes":[4-9]\d{6},/);
    await rename(here.path("before"), here.path("after"));
    assertRefused(await getting.finished, /or its folder; run it again/);
    const output = "after/file.bin";
    // Two seconds of data, so that at least one checkpoint was made under the old name.
    await resumes(here, args("after"), { output, bytes: data, keptBytes: 500_000 });
  });

  it("a journal of a newer version is left alone; --no-resume sets it aside and says where", async () => {
    const ports = await fast();
    await here.write("newer/.file.bin.quorate-part", "of a newer version");
    await here.write("newer/.file.bin.quorate-journal", "QJL2 of a newer version");
    const args = ["get", "-o", "newer/", "-p", ...ports];
    const refused = await here.run(args);
    assertRefused(refused, /a newer quorate wrote it; use that one, or --no-resume/);
    assert.deepEqual(await here.names("newer"), [
      ".file.bin.quorate-journal",
      ".file.bin.quorate-part",
    ]);
    const got = await here.run([...args, "--no-resume"]);
    assert.equal(got.code, 0, got.stderr);
    assert.match(
      got.stderr,
      /what an earlier run left is set aside as .*\/newer\/\.file\.bin\.quorate-part\.1\n/,
    );
    assert.deepEqual(await here.names("newer"), [
      ".file.bin.quorate-journal.1",
      ".file.bin.quorate-part.1",
      "file.bin",
    ]);
    const aside = await readFile(here.path("newer/.file.bin.quorate-part.1"), "utf8");
    assert.equal(aside, "of a newer version");
  });

  it("a second client on one output is told at once who holds it, with flock or without", async () => {
    const ports = await slowServers(here, data, "1MiB");
    for (const [output, PATH] of [
      ["both.bin", process.env.PATH ?? ""],
      ["both2.bin", "/nonexistent"],
    ] as const) {
      const args = ["get", "-o", output, "-i", "0.05", "-p", ...ports];
      const first = here.start(args, { env: { PATH } });
      await first.says(/[1-9][\d.]* % of/);
      const second = await here.run(args, { env: { PATH } });
      const { pid } = first.child;
      assertRefused(
        second,
        new RegExp(
          `^lock .*${output}.quorate-part: another quorate is writing this output \\(process ${pid}\\); wait for it or end it$`,
        ),
      );
      assert.equal(first.child.exitCode, null, "the first one goes on");
      await first.end("SIGKILL");
      // What was killed holds nothing.
      const third = here.start(args, { env: { PATH } });
      await third.says(/[1-9][\d.]* % of/);
      await third.end("SIGKILL");
    }
  });

  it("a log on a full disk is no reason to end", async () => {
    const ports = await fast();
    const prefix = ["/bin/sh", "-c", 'exec "$@" >/dev/full 2>/dev/full', "sh"];
    for (const flags of [
      ["-i", "0.01"],
      ["--json", "-i", "0.01"],
    ]) {
      const output = `log${flags.length}.bin`;
      const { code } = await here.run(["get", "-o", output, ...flags, "-p", ...ports], { prefix });
      assert.equal(code, 0);
      assert.ok(data.equals(await readFile(here.path(output))));
    }
  });
});

const problem = smallDiskProblem();

describe(`a small disk${problem}`, function () {
  if (problem !== "") {
    it.skip("gets full, or becomes read-only");
    return;
  }
  this.timeout(180_000);
  const here = Workspace.forSuite();
  const at = smallDisk(12 * MiB);

  it("that gets full in the middle keeps what was verified, and is resumed once there is space", async () => {
    const ports = await slowServers(here, data);
    const args = ["get", "-o", at("out"), "-i", "0.05", "--json", "-p", ...ports];
    // Without `fallocate` nothing is reserved, so that somebody else can take the space.
    const getting = here.start(args, { env: { PATH: "/nonexistent" } });
    await getting.says(/"doneBytes":[2-9]\d{6},/);
    const keptBytes = doneBytesOf(getting);
    const { status } = spawnSync("sh", ["-c", `cat /dev/zero > ${at("hog")} 2>/dev/null; true`]);
    assert.equal(status, 0);
    assertRefused(
      await getting.finished,
      /write .*the disk is full; free some space and run it again to resume/,
    );
    assert.ok(!(await readdir(at())).includes("out"));
    await rm(at("hog"));
    const got = await here.run(args);
    assert.equal(got.code, 0, got.stderr);
    assert.ok(data.equals(await readFile(at("out"))));
    const resumed = Number(/"resumedBytes":(\d+)/.exec(got.stdout)?.[1]);
    assert.ok(resumed >= keptBytes, `${resumed} of ${keptBytes} bytes were kept`);
  });

  it("that is read-only is refused before anybody is asked", async () => {
    await writeFile(at("there"), "before");
    spawnSync("mount", ["-o", "remount,ro", at()]);
    const [port = 0] = await freePorts(1);
    const got = await here.run(["get", "x", "-o", at(), "-p", port]);
    assertRefused(got, /write into .*: the file system is read-only; name another place with -o/);
    await mkdir(at("new")).then(
      () => assert.fail("it was not read-only"),
      () => {},
    );
  });
});

/** Exit 7, one line, and what it says. */
function assertRefused({ code, stderr }: Finished, says: RegExp): void {
  const last = stderr.trimEnd().split("\n").at(-1) ?? "";
  assert.equal(code, 7, stderr);
  assert.match(last, says);
  assert.doesNotMatch(stderr, /a bug|\n {4}at /);
}
