import assert from "node:assert/strict";
import { spawn, spawnSync } from "node:child_process";
import { createReadStream } from "node:fs";
import { readFile, stat } from "node:fs/promises";
import { createServer } from "node:http";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { SmallDisk } from "./full.js";
import { Lab, lastNumber } from "./lab.js";

const MiB = 1024 * 1024;
const size = 28 * MiB + 5;

describe("a disk that is full, and has space again", function () {
  this.timeout(600_000);
  let lab: Lab | undefined;
  let disk: SmallDisk | undefined;

  before(async function () {
    if (process.getuid?.() !== 0) skip(this, "mounting a small disk needs root");
    lab = await Lab.open(size, [2 * MiB, undefined]);
    disk = await SmallDisk.make(join(lab.folder, "disk"), 40 * MiB).catch((error: unknown) =>
      skip(this, String(error)),
    );
  });
  afterEach(() => disk?.free());
  after(async () => {
    await disk?.remove();
    await lab?.close();
  });

  function parts(): { lab: Lab; disk: SmallDisk } {
    assert.ok(lab !== undefined && disk !== undefined);
    return { lab, disk };
  }

  it("full from the start: exit 7 at once with what is needed, and nothing is left", async () => {
    const { lab: here, disk: small } = parts();
    const output = join(small.mountpoint, "start.bin");
    await small.fill();
    const first = await here.ended(here.start(output, { lane: 1 }));
    assert.equal(first.code, 7, first.stderr);
    assert.match(first.stderr, /bytes are needed and \d+ are free|disk is full/);
    await small.free();
    const second = await here.ended(here.start(output, { lane: 1 }));
    assert.equal(second.code, 0, second.stderr);
    assert.equal(await here.verdict(output), "right");
    await here.remove(output);
  });

  it("full in the middle: exit 7, and what was journaled is kept", async function () {
    const { lab: here, disk: small } = parts();
    const output = join(small.mountpoint, "middle.bin");
    const client = here.start(output);
    // A first checkpoint is made; the next needs space for its records.
    while ((await here.claims(output)).bytes === 0 && client.child.exitCode === null)
      await pause(10);
    await small.fill();
    const first = await here.ended(client);
    assert.equal(await here.verdict(output), first.code === 0 ? "right" : "absent");
    // So slow a machine that there was nothing left to write.
    if (first.code === 0) skip(this, "it was done before the disk was full");
    assert.equal(first.code, 7, first.stderr);
    assert.match(first.stderr, /the disk is full; free some space and run it again to resume/);
    const claims = await here.claims(output);
    assert.ok(claims.bytes > 0);
    await small.free();
    const second = await here.ended(here.start(output, { lane: 1 }));
    assert.equal(second.code, 0, second.stderr);
    assert.equal(await here.verdict(output), "right");
    assert.ok(lastNumber(second.stdout, "receipt", "resumedBytes") >= claims.bytes);
    await here.remove(output);
  });

  it("aria2 beside it: what it does in the same trouble is told, not judged", async function () {
    const { lab: here, disk: small } = parts();
    if (spawnSync("aria2c", ["--version"]).status !== 0) skip(this, "aria2c cannot be run");
    const served = join(here.folder, "served/file.bin");
    const mirror = createServer((_, response) => {
      response.writeHead(200, { "content-length": size });
      createReadStream(served)
        .on("error", () => {})
        .pipe(response);
    });
    await new Promise<void>((resolve) => mirror.listen(0, "127.0.0.1", resolve));
    try {
      const address = mirror.address();
      const port = typeof address === "object" ? address?.port : 0;
      const args = ["-d", small.mountpoint, "-o", "aria.bin", "--file-allocation=none", "-x1"];
      const url = `http://127.0.0.1:${port}/file.bin`;
      const once = [...args, "--no-conf", "-q", "--max-download-limit=4M", url];
      const running = aria2(once);
      const output = join(small.mountpoint, "aria.bin");
      while ((await sizeOf(output)) < MiB && !running.isOver()) await pause(10);
      await small.fill();
      const first = await running.code;
      const left = await sizeOf(`${output}.aria2`);
      await small.free();
      const second = await aria2(once).code;
      const got = await readFile(output).catch(() => Buffer.alloc(0));
      const end = got.equals(here.content) ? "right" : "not right";
      const told = `aria2: exit ${first}, a control file of ${left} bytes; again: exit ${second}`;
      process.stderr.write(`      ${told}, the file is ${end}\n`);
      assert.ok(first !== 0 || end === "right", "a full disk is no success");
    } finally {
      mirror.closeAllConnections();
      await new Promise((resolve) => mirror.close(resolve));
    }
  });
});

function aria2(args: readonly string[]) {
  const child = spawn("aria2c", args, { stdio: "ignore", timeout: 120_000 });
  const code = new Promise<number | string>((resolve) => {
    child.once("error", (error) => resolve(error.message));
    child.once("close", (exit, signal) => resolve(exit ?? signal ?? "?"));
  });
  return { code, isOver: () => child.exitCode !== null || child.signalCode !== null };
}

async function sizeOf(path: string): Promise<number> {
  return (await stat(path).catch(() => undefined))?.size ?? 0;
}

function skip(test: Mocha.Context, reason: string): never {
  process.stderr.write(`      skipped: ${reason}\n`);
  return test.skip();
}
