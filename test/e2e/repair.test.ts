/** A damaged file is made right, or stays byte for byte as it was. */

import assert from "node:assert/strict";
import { chmod, link, readdir, readFile, stat, symlink, writeFile } from "node:fs/promises";
import { freePorts } from "../support/cli.js";
import { changedAt, deliveredBytes, receiptOf } from "../support/e2e-receipt.js";
import { madeUp } from "../support/made-up.js";
import { smallDisk, smallDiskProblem } from "../support/scratch-folder.js";
import { Workspace } from "../support/workspace.js";

const size = 24 * 1024 * 1024 + 5;
const pieceBytes = 64 * 1024;

describe("verify --repair", function () {
  this.timeout(120_000);
  const here = Workspace.forSuite();
  const data = madeUp(size);
  const damaged = changedAt(data, 3 * pieceBytes, 200 * pieceBytes + 1);

  async function serving(...more: string[]): Promise<(string | number)[]> {
    await here.write("of/file.bin", data);
    const ports = await freePorts(3);
    await here.serve(["-f", "of/file.bin", ...more, "-p", ...ports]);
    return ["-p", ...ports];
  }

  const repair = (path: string, ...more: (string | number)[]) =>
    here.run(["verify", path, "--repair", "--name", "file.bin", ...more]);

  it("fetches only the pieces that are wrong, and keeps the mode", async () => {
    const ports = await serving();
    const path = await here.write("a.bin", damaged);
    await chmod(path, 0o640);
    const { code, stdout, stderr } = await repair("a.bin", "--json", ...ports);
    assert.equal(code, 0, stderr);
    assert.ok(data.equals(await readFile(path)));
    assert.equal((await stat(path)).mode & 0o777, 0o640);
    assert.equal(deliveredBytes(receiptOf(stdout)), 2 * pieceBytes);
    const events = stdout.split("\n").flatMap((line) => /"event":"([\w-]+)"/.exec(line)?.[1] ?? []);
    assert.deepEqual(events.slice(0, 3), ["agreement", "verification", "seeded"]);
    assert.equal(events.filter((event) => event === "agreement").length, 1);
  });

  it("tells people what was wrong, and what came of it", async () => {
    const ports = await serving();
    await here.write("h.bin", damaged);
    const { stdout, stderr } = await repair("h.bin", ...ports);
    assert.match(stderr, /h\.bin: wrong: sha256:\w+, 25165829 bytes; agreed: sha256:/);
    assert.match(stderr, /h\.bin: bytes 196608–262144 differ/);
    assert.match(
      stdout,
      /file\.bin: 24\.0 MiB from \d replicas? in .*, 23\.9 MiB from an old copy/,
    );
    assert.match(stdout, /h\.bin: repaired: sha256:/);
    const forced = await here.run(["verify", "h.bin", "--force", ...ports]);
    assert.equal(forced.code, 2, "only a repair replaces");
  });

  it("leaves a file that is right alone", async () => {
    const ports = await serving();
    const path = await here.write("b.bin", data);
    const before = await stat(path, { bigint: true });
    const { code, stdout } = await repair("b.bin", ...ports);
    const after = await stat(path, { bigint: true });
    assert.deepEqual([code, after.ino, after.mtimeNs], [0, before.ino, before.mtimeNs]);
    assert.match(stdout, /^b\.bin: right: sha256:/);
  });

  it("without a quorum touches nothing", async () => {
    const [gone] = await freePorts(1);
    const ports = await serving();
    const path = await here.write("c.bin", damaged);
    const { code, stderr } = await repair("c.bin", "--quorum", "all", ...ports, gone ?? 1);
    assert.equal(code, 3, stderr);
    assert.ok(damaged.equals(await readFile(path)));
    assert.ok(!(await here.names(".")).some((name) => name.startsWith(".c.bin")));
  });

  it("ended while its servers are gone leaves it as it was, and goes on next time", async () => {
    const half = Buffer.concat([data.subarray(0, size / 2), Buffer.alloc(size / 2)]);
    const path = await here.write("d.bin", half);
    const ports = await freePorts(2);
    await here.write("of/file.bin", data);
    const args = ["-f", "of/file.bin", "--limit-rate", "1MiB", "-p", ...ports];
    const serving = await here.serve(args);
    const repairing = here.start([
      ...["verify", "d.bin", "--repair", "--name", "file.bin", "--json", "-p", ...ports],
    ]);
    await repairing.says(/"doneBytes":(1[4-9]|2\d)\d{6},/);
    await serving.end("SIGKILL");
    // Nobody comes back: the default patience is a minute, which no test should wait.
    await repairing.end("SIGINT");
    assert.equal((await repairing.finished).code, 130);
    assert.ok(half.equals(await readFile(path)));
    await here.serve(args);
    const again = await repair("d.bin", "--json", "-p", ...ports);
    assert.equal(again.code, 0, again.stderr);
    assert.ok(data.equals(await readFile(path)));
    assert.ok(receiptOf(again.stdout).resumedBytes > size / 2, "and some that was fetched");
  });

  it("when the bytes that come are wrong leaves it as it was, and exits with 6", async () => {
    await here.write("of/file.bin", data);
    const ports = await freePorts(2);
    const faults = ports.flatMap((port) => ["--fault", `${port}:corrupt`]);
    await here.serve(["-f", "of/file.bin", "-p", ...ports, ...faults]);
    const path = await here.write("e.bin", damaged);
    const { code, stderr } = await repair("e.bin", "-p", ...ports);
    assert.equal(code, 6, stderr);
    assert.match(stderr, /repair file\.bin: it is wrong, and is left as it was/);
    assert.ok(damaged.equals(await readFile(path)));
  });

  it("repairs no link, and one of several names only with --force", async () => {
    const ports = await serving();
    const path = await here.write("f.bin", damaged);
    await symlink(path, here.path("link.bin"));
    const linked = await repair("link.bin", ...ports);
    assert.equal(linked.code, 7);
    assert.match(linked.stderr, /it is a symbolic link; name the file that it leads to/);
    await link(path, here.path("g.bin"));
    const named = await repair("f.bin", ...ports);
    assert.equal(named.code, 7);
    assert.match(named.stderr, /2 names \(hard links\).*--force/);
    assert.ok(damaged.equals(await readFile(path)));
    const forced = await repair("f.bin", "--force", ...ports);
    assert.equal(forced.code, 0, forced.stderr);
    assert.ok(data.equals(await readFile(path)));
    assert.ok(damaged.equals(await readFile(here.path("g.bin"))), "the other name's");
  });
});

const smallDiskTitle = smallDiskProblem();

describe(`verify --repair on a disk that is nearly full${smallDiskTitle}`, function () {
  this.timeout(120_000);
  if (smallDiskTitle !== "") {
    it("says so and leaves the file as it was", function () {
      this.skip();
    });
    return;
  }
  const here = Workspace.forSuite();
  const at = smallDisk(40 * 1024 * 1024);
  const data = madeUp(size);

  it("says so and leaves the file as it was", async () => {
    await here.write("of/file.bin", data);
    const ports = await freePorts(1);
    await here.serve(["-f", "of/file.bin", "-p", ...ports]);
    const damaged = changedAt(data, 5);
    await writeFile(at("file.bin"), damaged);
    const got = await here.run(["verify", at("file.bin"), "--repair", "-p", ...ports]);
    assert.equal(got.code, 7, got.stderr);
    assert.match(
      got.stderr,
      /a copy is made beside it: .* 25165829 bytes are needed and \d+ are free/,
    );
    assert.ok(damaged.equals(await readFile(at("file.bin"))));
    assert.deepEqual(await readdir(at()), ["file.bin"]);
  });
});
