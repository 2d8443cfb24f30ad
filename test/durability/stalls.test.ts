/** Our own stalls: whoever stands still, it is us, and nobody else is to blame. */

import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { readFile, stat } from "node:fs/promises";
import { limits } from "../../src/limits.js";
import { mainPath } from "../support/cli.js";
import { receiptOf } from "../support/e2e-receipt.js";
import { madeUp } from "../support/made-up.js";
import { Terminal } from "../support/terminal.js";
import { Workspace } from "../support/workspace.js";
import { slowServers } from "./resuming.js";

const data = madeUp(12 * 1024 * 1024 + 3);

describe("a client that stands still", function () {
  this.timeout(180_000);
  const here = Workspace.forSuite();

  // Longer than we are patient when nobody sends: only our own stall explains it.
  it("because it was stopped for 12 s goes on, and punishes nobody", async () => {
    const ports = await slowServers(here, data);
    const getting = here.start([
      "get",
      "-o",
      "stopped.bin",
      "-i",
      "0.05",
      "--json",
      "-p",
      ...ports,
    ]);
    await getting.says(/"doneBytes":[1-9]\d{6},/);
    getting.child.kill("SIGSTOP");
    await new Promise((resolve) => setTimeout(resolve, limits.lonelyMs + 2000));
    getting.child.kill("SIGCONT");
    const got = await getting.finished;
    assert.equal(got.code, 0, got.stderr);
    assert.ok(data.equals(await readFile(here.path("stopped.bin"))));
    assertNobodyPunished(got.stdout);
  });

  it("does not care for a wall clock that jumps by hours, ahead and back", async () => {
    const ports = await slowServers(here, data);
    // Half a second apart, further each time: no two readings come from the same clock.
    const jumping = `
      const now = Date.now;
      const hour = 3_600_000;
      let ahead = 0;
      let jumps = 0;
      setInterval(() => { ahead = hour * (++jumps % 2 === 1 ? jumps : -jumps); }, 500).unref();
      Date.now = () => now() + ahead;
      globalThis.Date = new Proxy(Date, {
        construct: (real, args) => (args.length === 0 ? new real(Date.now()) : new real(...args)),
      });`;
    const NODE_OPTIONS = `--import=data:text/javascript,${encodeURIComponent(jumping)}`;
    const args = ["get", "-o", "jumped.bin", "--json", "-p", ...ports];
    const got = await here.run(args, { env: { NODE_OPTIONS } });
    assert.equal(got.code, 0, got.stderr);
    assert.ok(data.equals(await readFile(here.path("jumped.bin"))));
    assertNobodyPunished(got.stdout);
    const { seconds } = receiptOf(got.stdout);
    assert.ok(seconds > 0 && seconds < 600, `and it knows how long it took, not ${seconds} s`);
  });
});

describe("a reader that takes nothing", function () {
  this.timeout(180_000);
  const here = Workspace.forSuite();

  for (const flags of [[], ["--json"]]) {
    it(`from a pipe holds nothing up, ${flags.join(" ")}`, async () => {
      const ports = await slowServers(here, data);
      const output = here.path(`unread${flags.length}.bin`);
      const args = ["get", "-o", output, "-i", "0.001", ...flags, "-p", ...ports];
      const child = spawn(process.execPath, [mainPath, ...args.map(String)]);
      const exited = once(child, "exit");
      await appears(output);
      assert.ok(data.equals(await readFile(output)));
      // With `--json` the receipt waits for its reader; without, nothing does.
      child.stdout.resume();
      child.stderr.resume();
      assert.equal((await exited)[0], 0);
    });
  }

  it("on a terminal (Ctrl-S) holds nothing up", async () => {
    const ports = await slowServers(here, data);
    const terminal = new Terminal(["get", "-o", "xoff.bin", "-p", ...ports], here.folder);
    try {
      await terminal.shows(/file\.bin.*%/);
      terminal.type("\u0013");
      await appears(here.path("xoff.bin"));
      terminal.type("\u0011");
      assert.equal(await terminal.ended, 0);
      assert.match(terminal.output, /verified sha256:/);
    } finally {
      terminal.kill();
    }
    assert.ok(data.equals(await readFile(here.path("xoff.bin"))));
  });
});

function assertNobodyPunished(stdout: string): void {
  for (const { address, standing, faults } of receiptOf(stdout).replicas) {
    assert.deepEqual([standing, faults], ["good", {}], address);
  }
}

async function appears(path: string): Promise<void> {
  while ((await stat(path).catch(() => undefined)) === undefined) {
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
}
