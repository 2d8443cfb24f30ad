/** What becomes of a receipt that cannot be kept any more when the file is already there. */

import assert from "node:assert/strict";
import { receiptKeeper } from "../../src/api/receipts.js";
import type { Receipt } from "../../src/receipt/receipt.js";
import { claimed, claims, receipt, verdict } from "../cli/verdicts.js";
import { refusingOn } from "../support/refusing-disk.js";
import { scratchFolder } from "../support/scratch-folder.js";

describe("a receipt that cannot be kept", () => {
  const at = scratchFolder();

  async function lossOf(got: Receipt): Promise<string> {
    const how = { output: at("a.bin"), isForced: false };
    const keeper = await receiptKeeper(at("r.json"), how);
    const agreement = verdict([claimed(claims.a)]);
    keeper.onEvent({ event: "agreement", agreement });
    const kept = refusingOn("write", "ENOSPC", () => keeper.keep(got));
    return kept.then(
      () => "",
      (error: unknown) => String(error),
    );
  }

  it("is told with where the file is, and what makes a receipt all the same", async () => {
    assert.equal(
      await lossOf(receipt({ path: at("a.bin") })),
      `StorageError: get a.bin: the file is right and at ${at("a.bin")}, but its receipt is lost: ` +
        `write ${at("r.json")}: the disk is full; with --force one is made without fetching it again`,
    );
  });

  it("of what went down a pipe promises nothing", async () => {
    assert.match(await lossOf(receipt({ path: "-" })), /stdout, but its .*: the disk is full$/);
  });
});
