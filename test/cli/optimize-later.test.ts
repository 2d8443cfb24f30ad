import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";

describe("optimizing later", () => {
  it("is a flag that this V8 knows: it complains of others on stderr", () => {
    const module = new URL("../../src/cli/optimize-later.ts", import.meta.url);
    const script = `import { optimizeLater } from ${JSON.stringify(module)}; optimizeLater();`;
    const args = ["--import=tsx", "--input-type=module", "-e", script];
    const { status, stderr } = spawnSync(process.execPath, args, { encoding: "utf8" });
    assert.deepEqual([status, stderr], [0, ""]);
  });
});
