import assert from "node:assert/strict";
import { type FileHandle, writeFile } from "node:fs/promises";
import { SharedSyncs } from "../../src/files/folder.js";
import { refusalOf, refusingOn } from "../support/refusing-disk.js";
import { scratchFolder } from "../support/scratch-folder.js";

describe("a sync of a folder that many want", () => {
  const at = scratchFolder();
  let syncs: SharedSyncs;
  beforeEach(() => {
    syncs = new SharedSyncs();
  });
  const sync = (folder: string) => syncs.sync(folder);

  /** Runs this while each sync waits for its turn in `gates`, which resolves or rejects it. */
  async function gated(run: (gates: Gate[]) => Promise<void>): Promise<void> {
    const gates: Gate[] = [];
    const wait = async (_: FileHandle) => {
      await new Promise<void>((open, fail) => gates.push({ open, fail }));
      return false;
    };
    await refusingOn("sync", "EIO", () => run(gates), wait);
  }

  it("is shared by those who ask while one runs, and never joined once it runs", async () => {
    await gated(async (gates) => {
      const first = sync(at());
      await came(gates, 1);
      const shared = [sync(at()), sync(at()), sync(at())];
      gates[0]?.open();
      await first;
      await came(gates, 2);
      const later = sync(at());
      gates[1]?.open();
      await Promise.all(shared);
      await came(gates, 3);
      gates[2]?.open();
      await later;
      assert.equal(gates.length, 3);
    });
  });

  it("resolves for nobody who changed something after the sync began", async () => {
    await gated(async (gates) => {
      const first = sync(at());
      await came(gates, 1);
      let isTold = false;
      const second = sync(at()).then(() => {
        isTold = true;
      });
      gates[0]?.open();
      await first;
      await came(gates, 2);
      assert.equal(isTold, false);
      gates[1]?.open();
      await second;
    });
  });

  it("fails those who wait, too, and starts afresh for those who come after", async () => {
    await gated(async (gates) => {
      const outcomes = [sync(at())];
      await came(gates, 1);
      outcomes.push(sync(at()));
      const settled = Promise.allSettled(outcomes);
      gates[0]?.fail(refusalOf("EIO"));
      const statuses = (await settled).map(({ status }) => status);
      assert.deepEqual(statuses, ["rejected", "rejected"]);
      const later = sync(at());
      await came(gates, 2);
      gates[1]?.open();
      await later;
    });
  });

  it("is a folder's own: others do not wait", async () => {
    await gated(async (gates) => {
      const one = sync(at());
      const other = sync("/tmp");
      await came(gates, 2);
      for (const gate of gates) gate.open();
      await Promise.all([one, other]);
    });
  });

  it("fails where there is no folder, each time", async () => {
    await writeFile(at("file"), "");
    for (const name of ["file", "nothing"]) {
      await assert.rejects(sync(at(name)));
      await assert.rejects(sync(at(name)));
    }
  });
});

interface Gate {
  readonly open: () => void;
  readonly fail: (error: unknown) => void;
}

/** Waits until so many syncs run. */
async function came(gates: readonly Gate[], count: number): Promise<void> {
  while (gates.length < count) await new Promise((resolve) => setImmediate(resolve));
}
