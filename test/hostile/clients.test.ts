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

/** A serving process, and the ports of its virtual servers; the first one is attacked. */
interface Served {
  readonly serving: Running;
  readonly port: number;
  readonly ports: readonly number[];
}

/** Resident bytes of a process. */
async function residentBytes(pid: number | undefined): Promise<number> {
  const status = await readFile(`/proc/${pid}/status`, "utf8");
  return Number(/VmRSS:\s+(\d+)/.exec(status)?.[1]) * 1024;
}

/** Looks until it is so, or a minute is over. */
async function within60s(isSo: () => Promise<boolean>, what: () => string): Promise<void> {
  for (let look = 0; look < 600; look++) {
    if (await isSo()) return;
    await delay(100);
  }
  assert.fail(what());
}

describe("a hostile client", function () {
  this.timeout(240_000);
  const workspace = Workspace.forSuite();
  const data = madeUp(64 * MiB + 1);
  before(() => workspace.write("shared/a.bin", data));

  async function serve(...more: readonly string[]): Promise<Served> {
    const ports = await freePorts(2);
    const [port = 0] = ports;
    const serving = await workspace.serve(["shared", "-p", ...ports, ...more]);
    // What a process that has served holds is what it is to come back to; and before that is
    // compared, it serves once more.
    await getsRight(ports);
    await getsRight(ports);
    return { serving, port, ports };
  }

  async function getsRight(ports: readonly number[]): Promise<void> {
    const { code, stderr } = await workspace.run(["get", "a.bin", "-p", ...ports, "-o", "out.bin"]);
    assert.equal(code, 0, stderr);
    assert.ok((await readFile(workspace.path("out.bin"))).equals(data));
    await rm(workspace.path("out.bin"));
  }

  async function survives({ serving, ports }: Served, idleBytes: number): Promise<void> {
    assert.equal(serving.child.exitCode, null, serving.stderr);
    await getsRight(ports);
    let bytes = 0;
    const isBack = async () => {
      bytes = await residentBytes(serving.child.pid);
      return bytes < idleBytes * 1.2;
    };
    await within60s(isBack, () => `${bytes / MiB} MiB, ${idleBytes / MiB} when idle`);
    assert.doesNotMatch(serving.stderr, /outside of any call/);
  }

  for (const [what, run] of rows) {
    it(`${what}: the server lives, serves, and forgets`, async () => {
      const served = await serve();
      const { serving, port } = served;
      const idleBytes = await residentBytes(serving.child.pid);
      const left: Socket[] = [];
      try {
        await run(port, left);
        await survives(served, idleBytes);
      } finally {
        for (const socket of left) socket.destroy();
      }
    });
  }

  it("256 silent connections: a good client gets in all the same", async () => {
    const served = await serve();
    const { serving, port } = served;
    const idleBytes = await residentBytes(serving.child.pid);
    const silent = await Promise.all(Array.from({ length: 256 }, () => attack(port)));
    await survives(served, idleBytes);
    for (const socket of silent) socket.destroy();
  });

  it("200 readers that never read cost 240 MiB at most, and are reset", async () => {
    const served = await serve("--max-client-reads", "256");
    const { serving, port } = served;
    const idleBytes = await residentBytes(serving.child.pid);
    const readers = await readersThatNeverRead(port, 200);
    let most = 0;
    const areGone = async () => {
      most = Math.max(most, (await residentBytes(serving.child.pid)) - idleBytes);
      return readers.open === 0;
    };
    await within60s(areGone, () => `${readers.open} readers are still there`);
    assert.equal(readers.begun, 200, "all of them were let in");
    assert.ok(most < 240 * MiB, `${Math.round(most / MiB)} MiB`);
    await survives(served, idleBytes);
    readers.close();
  });
});
