/** Servers and clients that die, stop and lie in mid-transfer. */

import assert from "node:assert/strict";
import { readFile, stat } from "node:fs/promises";
import { freePorts } from "../support/cli.js";
import { receiptOf } from "../support/e2e-receipt.js";
import { madeUp } from "../support/made-up.js";
import { Workspace } from "../support/workspace.js";

describe("a download in trouble", () => {
  const here = Workspace.forSuite();
  const data = madeUp(24 * 1024 * 1024 + 5);
  const rate = ["--limit-rate", "4MiB"];

  /** A server process for each port, so that each can be killed on its own. */
  async function servers(count: number) {
    await here.write("of/file.bin", data);
    const ports = await freePorts(count);
    const running = [];
    for (const port of ports) {
      running.push(await here.serve(["-f", "of/file.bin", "-p", String(port), ...rate]));
    }
    return { ports, running };
  }

  it("survives a server that is killed and one that is stopped", async function () {
    this.timeout(60_000);
    const { ports, running } = await servers(4);
    const getting = here.start(["get", "-o", "killed.bin", "-i", "0.2", "--json", "-p", ...ports]);
    await getting.says(/"doneBytes":[1-9]/);
    running[0]?.child.kill("SIGKILL");
    running[1]?.child.kill("SIGSTOP");
    const got = await getting.finished;
    assert.equal(got.code, 0, got.stderr);
    assert.ok(data.equals(await readFile(here.path("killed.bin"))));
    const { replicas } = receiptOf(got.stdout);
    assert.ok((replicas[0]?.faults.unreachable ?? 0) > 0, "the killed one was unreachable");
    assert.ok((replicas[1]?.faults.late ?? 0) > 0, "the stopped one was late");
    const [, waited] = /"event":"fault".*"waitedMs":([\d.]+)/.exec(got.stdout) ?? [];
    assert.ok(Number(waited) < 5000, `it was left after ${waited} ms`);
    assert.deepEqual([replicas[2]?.faults, replicas[3]?.faults], [{}, {}]);
  });

  it("takes in a server that was frozen while all were asked, once it answers", async function () {
    this.timeout(60_000);
    const { ports, running } = await servers(3);
    running[2]?.child.kill("SIGSTOP");
    const getting = here.start(["get", "-o", "joined.bin", "-i", "0.2", "--json", "-p", ...ports]);
    await getting.says(/"doneBytes":[1-9]/);
    running[2]?.child.kill("SIGCONT");
    const got = await getting.finished;
    assert.equal(got.code, 0, got.stderr);
    assert.ok(data.equals(await readFile(here.path("joined.bin"))));
    assert.match(got.stdout, new RegExp(`"event":"joined","replica":"127.0.0.1:${ports[2]}"`));
    const line = receiptOf(got.stdout).replicas[2];
    assert.equal(line?.standing, "good");
    assert.ok((line?.deliveredBytes ?? 0) > 1_000_000, `${line?.deliveredBytes} bytes are its`);
    assert.deepEqual(line?.claim, receiptOf(got.stdout).replicas[0]?.claim);
  });

  it("killed with -9 and run again, it keeps most of what it had", async function () {
    this.timeout(60_000);
    const { ports } = await servers(2);
    const args = ["get", "-o", "again.bin", "-i", "0.2", "--json", "-p", ...ports];
    const first = here.start(args);
    // Two seconds of data, so that at least one checkpoint has been made.
    await first.says(/"doneBytes":1[6-9]\d{6},/);
    await first.end("SIGKILL");
    await assert.rejects(stat(here.path("again.bin")), "nothing bears the name yet");
    const second = await here.run([...args, "-r"]);
    assert.equal(second.code, 0, second.stderr);
    assert.ok(data.equals(await readFile(here.path("again.bin"))));
    const { resumedBytes } = receiptOf(second.stdout);
    assert.ok(resumedBytes > 6_000_000, `${resumedBytes} bytes were kept`);
  });

  it("interrupted, it says how to resume and keeps all that was verified", async function () {
    this.timeout(60_000);
    const { ports } = await servers(2);
    const args = ["get", "-o", "int.bin", "-i", "0.2", "--json", "-p", ...ports];
    const first = here.start(args);
    await first.says(/"doneBytes":[1-9]\d{6},/);
    const ended = await first.end("SIGINT");
    assert.equal(ended.code, 130);
    assert.match(ended.stderr, /interrupted; run the same command again to resume/);
    const second = await here.run(args);
    assert.equal(second.code, 0, second.stderr);
    assert.ok(receiptOf(second.stdout).resumedBytes >= 1_000_000);
  });

  it("names the one that serves corrupt bytes, with evidence", async () => {
    await here.write("of/file.bin", data);
    const ports = await freePorts(3);
    await here.serve(["-f", "of/file.bin", "-p", ...ports, "--fault", `${ports[1]}:corrupt`]);
    const got = await here.run(["get", "-o", "corrupt.bin", "--json", "-p", ...ports]);
    assert.equal(got.code, 0, got.stderr);
    assert.ok(data.equals(await readFile(here.path("corrupt.bin"))));
    const { replicas } = receiptOf(got.stdout);
    assert.deepEqual(
      replicas.map(({ standing }) => standing),
      ["good", "banned", "good"],
    );
    assert.equal(typeof replicas[1]?.evidence?.piece, "number");
  });

  for (const fault of ["stall", "short", "die", "lie", "slow"]) {
    it(`gets the right file beside a server that is told to ${fault}`, async function () {
      this.timeout(60_000);
      await here.write("of/file.bin", data);
      const ports = await freePorts(3);
      await here.serve(["-f", "of/file.bin", "-p", ...ports, "--fault", `${ports[0]}:${fault}`]);
      const got = await here.run(["get", "-o", `${fault}.bin`, "-p", ...ports]);
      assert.equal(got.code, 0, got.stderr);
      assert.ok(data.equals(await readFile(here.path(`${fault}.bin`))));
    });
  }

  it("two clients on one output: the second stops at once and names the lock", async () => {
    const { ports } = await servers(2);
    const args = ["get", "-o", "both.bin", "-i", "0.2", "-p", ...ports];
    const first = here.start(args);
    await first.says(/[1-9][\d.]* % of/);
    const second = await here.run(args);
    assert.equal(second.code, 7);
    assert.match(second.stderr, /lock .*\.both\.bin\.quorate-part: another quorate is writing/);
    const done = await first.finished;
    assert.equal(done.code, 0, done.stderr);
  });

  it("goes on when the reader of its output goes away", async () => {
    const { ports } = await servers(2);
    const getting = here.start(["get", "-o", "pipe.bin", "-i", "0.1", "--json", "-p", ...ports]);
    await getting.says(/"event":"agreement"/);
    getting.child.stdout.destroy();
    getting.child.stderr.destroy();
    const { code } = await getting.finished;
    assert.equal(code, 0);
    assert.ok(data.equals(await readFile(here.path("pipe.bin"))));
  });
});
