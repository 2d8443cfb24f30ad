import assert from "node:assert/strict";
import { agreementLimits } from "../src/limits/agreement.js";
import { diskLimits } from "../src/limits/disk.js";
import { servingLimits } from "../src/limits/serving.js";
import { transferLimits } from "../src/limits/transfer.js";
import { wireLimits } from "../src/limits/wire.js";
import { limits } from "../src/limits.js";

describe("limits", () => {
  it("no bound of one subject hides one of another", () => {
    const all = [agreementLimits, diskLimits, servingLimits, transferLimits, wireLimits];
    assert.deepEqual(Object.keys(limits).sort(), all.flatMap(Object.keys).sort());
  });
});
