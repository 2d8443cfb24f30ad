/**
 * Hostile clients, one row each, against a serving process. After each of them it lives, serves a
 * good client right, and its memory comes back.
 */

import assert from "node:assert/strict";
import { readFile, rm } from "node:fs/promises";
import type { Socket } from "node:net";
import { setTimeout as delay } from "node:timers/promises";
import { freePorts, type Running } from "../support/cli.js";
import { madeUp } from "../support/made-up.js";
import { attack } from "../support/raw-http2.js";
import { Workspace } from "../support/workspace.js";
import { readersThatNeverRead, rows } from "./rows.js";

const MiB = 1024 * 1024;

/** Resident bytes of a process. */
async function residentBytes(pid: number | undefined): Promise<number> {
  const status = await readFile(`/proc/${pid}/status`, "utf8");
  return Number(/VmRSS:\s+(\d+)/.exec(status)?.[1]) * 1024;
}

/** Looks until it is so, or a minute and a half is over. */
async function within90s(isSo: () => Promise<boolean>, what: () => string): Promise<void> {
  for (let look = 0; look < 900; look++) {
    if (await isSo()) return;
    await delay(100);
  }
  assert.fail(what());
}

describe("a hostile client", function () {
  this.timeout(240_000);
  const workspace = Workspace.forSuite();
  const data = madeUp(16 * MiB + 1);
  before(() => workspace.write("shared/a.bin", data));

  async function serve(...more: readonly string[]): Promise<{ serving: Running; port: number }> {
    const [port = 0] = await freePorts(1);
    const serving = await workspace.serve(["shared", "-p", port, ...more]);
    return { serving, port };
  }

  async function getsRight(port: number): Promise<void> {
    const { code, stderr } = await workspace.run(["get", "a.bin", "-p", port, "-o", "out.bin"]);
    assert.equal(code, 0, stderr);
    assert.ok((await readFile(workspace.path("out.bin"))).equals(data));
    await rm(workspace.path("out.bin"));
  }

  async function survives(serving: Running, port: number, idleBytes: number): Promise<void> {
    assert.equal(serving.child.exitCode, null, serving.stderr);
    await getsRight(port);
    let bytes = 0;
    const isBack = async () => {
      bytes = await residentBytes(serving.child.pid);
      return bytes < idleBytes * 1.2 + 64 * MiB;
    };
    await within90s(isBack, () => `${bytes / MiB} MiB, ${idleBytes / MiB} when idle`);
    assert.doesNotMatch(serving.stderr, /outside of any call/);
  }

  for (const [what, run] of rows) {
    it(`${what}: the server lives, serves, and forgets`, async () => {
      const { serving, port } = await serve();
      const idleBytes = await residentBytes(serving.child.pid);
      const left: Socket[] = [];
      try {
        await run(port, left);
        await survives(serving, port, idleBytes);
      } finally {
        for (const socket of left) socket.destroy();
      }
    });
  }

  it("256 silent connections: a good client gets in all the same", async () => {
    const { serving, port } = await serve();
    const idleBytes = await residentBytes(serving.child.pid);
    const silent = await Promise.all(Array.from({ length: 256 }, () => attack(port)));
    await survives(serving, port, idleBytes);
    for (const socket of silent) socket.destroy();
  });

  it("200 readers that never read cost 240 MiB at most, and are reset", async () => {
    const { serving, port } = await serve("--max-client-reads", "256");
    const idleBytes = await residentBytes(serving.child.pid);
    const readers = await readersThatNeverRead(port, 200);
    let most = 0;
    const areGone = async () => {
      most = Math.max(most, (await residentBytes(serving.child.pid)) - idleBytes);
      return readers.open === 0;
    };
    await within90s(areGone, () => `${readers.open} readers are still there`);
    assert.equal(readers.begun, 200, "all of them were let in");
    assert.ok(most < 240 * MiB, `${Math.round(most / MiB)} MiB`);
    await survives(serving, port, idleBytes);
    readers.close();
  });
});
