/** Pieces that other threads hash, or the digest of the whole proves, are judged as all others. */

import assert from "node:assert/strict";
import { truncate } from "node:fs/promises";
import { limits } from "../../src/limits.js";
import { freePorts } from "../support/cli.js";
import { receiptOf } from "../support/e2e-receipt.js";
import { madeUp } from "../support/made-up.js";
import { Workspace } from "../support/workspace.js";

describe("a large file whose pieces are not hashed where they are received", function () {
  this.timeout(180_000);
  const here = Workspace.forSuite();

  for (const [threads, by] of [
    ["2", "by two threads"],
    ["0", "by the digest of the whole, as far as that goes"],
  ] as const) {
    it(`but ${by}, is right, and who sent a wrong piece is found`, async () => {
      const file = await here.write("large.bin", madeUp(1_000_003));
      await truncate(file, limits.leafHasherBytes + 12_345);
      const ports = await freePorts(4);
      const [corrupt] = ports;
      await here.serve(["-f", file, "-p", ...ports.map(String), "--fault", `${corrupt}:corrupt`]);
      const options = ["--json", "--hash-threads", threads, "-o", `got-${threads}.bin`];
      const got = await here.run(["get", ...options, "-p", ...ports.map(String)]);
      assert.equal(got.code, 0, got.stderr);
      const { replicas } = receiptOf(got.stdout);
      const banned = replicas.filter(({ standing }) => standing === "banned");
      assert.deepEqual(
        banned.map(({ address }) => address),
        [`127.0.0.1:${corrupt}`],
      );
    });
  }
});
