/** More servers than Node expects listeners. */

import assert from "node:assert/strict";
import { freePorts } from "../support/cli.js";
import { madeUp } from "../support/made-up.js";
import { Workspace } from "../support/workspace.js";

describe("fourteen servers", function () {
  this.timeout(180_000);
  const here = Workspace.forSuite();

  it("are asked without a warning by Node", async () => {
    const file = await here.write("many.bin", madeUp(5_000_000));
    const ports = await freePorts(14);
    await here.serve(["-f", file, "-p", ...ports.map(String)]);
    for (const command of [["survey"], ["list"], ["get", "-o", "got.bin"]]) {
      const { code, stderr } = await here.run([...command, "-p", ...ports]);
      assert.equal(code, 0, stderr);
      assert.doesNotMatch(stderr, /warning/i, command.join(" "));
    }
  });
});
