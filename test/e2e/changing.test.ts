/** Servers whose file is replaced in mid-transfer, by rename, with real processes. */

import assert from "node:assert/strict";
import { readFile, rename } from "node:fs/promises";
import { freePorts } from "../support/cli.js";
import { madeUp } from "../support/made-up.js";
import { Workspace } from "../support/workspace.js";

describe("a file that is replaced in mid-transfer", () => {
  const here = Workspace.forSuite();
  const half = 8 * 1024 * 1024;
  const before = madeUp(2 * half + 5);
  const after = Buffer.concat([before.subarray(0, half), madeUp(half + 99, 3)]);

  async function servers(): Promise<number[]> {
    const ports = await freePorts(3);
    for (const [index, port] of ports.entries()) {
      await here.write(`of${index}/file.bin`, before);
      const flags = ["-p", String(port), "--limit-rate", "1MiB"];
      await here.serve(["-f", `of${index}/file.bin`, ...flags]);
    }
    return ports;
  }

  async function replace(index: number): Promise<void> {
    const next = await here.write(`of${index}/next`, after);
    await rename(next, here.path(`of${index}`, "file.bin"));
  }

  it("on two of three servers comes as it is now, and equal pieces are kept", async function () {
    this.timeout(180_000);
    const ports = await servers();
    const getting = here.start(["get", "-o", "out.bin", "-i", "0.2", "--json", "-p", ...ports]);
    await getting.says(/"doneBytes":[3-9]\d{6},/);
    await Promise.all([replace(0), replace(1)]);
    const { code, stdout, stderr } = await getting.finished;
    assert.equal(code, 0, stderr);
    assert.ok(after.equals(await readFile(here.path("out.bin"))), "the new file");
    const events = stdout
      .trim()
      .split("\n")
      .map((line): Told => JSON.parse(line));
    assert.ok(
      events.some(({ event }) => event === "asked-again"),
      "the quorum was asked again",
    );
    const kept = events.find(({ event }) => event === "resumed")?.bytes ?? 0;
    assert.ok(kept > 0, `${kept} bytes were kept`);
    const standings = events.at(-1)?.replicas?.map(({ standing }) => standing);
    assert.deepEqual(standings, ["good", "good", "dissenting"]);
  });

  it("on one of three comes as the others have it", async function () {
    this.timeout(180_000);
    const ports = await servers();
    const getting = here.start(["get", "-o", "old.bin", "-i", "0.2", "--json", "-p", ...ports]);
    await getting.says(/"doneBytes":[3-9]\d{6},/);
    await replace(0);
    const { code, stdout, stderr } = await getting.finished;
    assert.equal(code, 0, stderr);
    assert.ok(before.equals(await readFile(here.path("old.bin"))), "the old file");
    assert.ok(!stdout.includes("asked-again"));
  });
});

interface Told {
  readonly event: string;
  readonly bytes?: number;
  readonly replicas?: readonly { readonly standing: string }[];
}
