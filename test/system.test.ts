import assert from "node:assert/strict";
import { systemClock } from "../src/system.js";

describe("the system's clock", () => {
  it("a sleep that is aborted rejects with the signal's own reason", async () => {
    const reason = new Error("enough");
    const abort = new AbortController();
    const asleep = systemClock.sleep(60_000, abort.signal);
    abort.abort(reason);
    await assert.rejects(asleep, (error) => error === reason);
    await assert.rejects(systemClock.sleep(60_000, abort.signal), (error) => error === reason);
  });
});
