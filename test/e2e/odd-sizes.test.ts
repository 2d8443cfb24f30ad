/** Files of odd sizes, from command to command. */

import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { readFile } from "node:fs/promises";
import { freePorts } from "../support/cli.js";
import { madeUp } from "../support/made-up.js";
import { Workspace } from "../support/workspace.js";

const pieceBytes = 64 * 1024;
const sizes = [0, 1, pieceBytes, pieceBytes + 1, 4 * pieceBytes - 1, 20_000_003];

describe("files of odd sizes", () => {
  const here = Workspace.forSuite();

  for (const size of sizes) {
    it(`${size} bytes arrive, with the digest that sha256sum would give`, async () => {
      const data = madeUp(size);
      await here.write(`of/${size}.bin`, data);
      const ports = await freePorts(3);
      await here.serve(["-f", `of/${size}.bin`, "-p", ...ports]);
      const got = await here.run(["get", "-o", `${size}.out`, "--json", "-p", ...ports]);
      assert.equal(got.code, 0, got.stderr);
      assert.ok(data.equals(await readFile(here.path(`${size}.out`))));
      const receipt = JSON.parse(got.stdout.trim().split("\n").at(-1) ?? "");
      const digest = `sha256:${createHash("sha256").update(data).digest("hex")}`;
      assert.deepEqual([receipt.event, receipt.digest, receipt.size], ["receipt", digest, size]);
      const delivered = receipt.replicas.map((line: { deliveredBytes: number }) => {
        return line.deliveredBytes;
      });
      assert.equal(
        delivered.reduce((sum: number, bytes: number) => sum + bytes, 0),
        size,
      );
      const shown = await here.run(["digest", `${size}.out`]);
      assert.match(shown.stdout, new RegExp(`^digest {2}${digest}\nsize {4}${size}\n`));
    });
  }
});
