import assert from "node:assert/strict";
import { seed } from "../support/seeded.js";
import { believed, damaged, soundJournal } from "./journal-reader.js";

const ways = [true, false] as const;

describe(`a journal that something happened to (SEED=${seed})`, function () {
  this.timeout(120_000);

  it("sound, is believed as far as it goes", async () => {
    for (const hasDigests of ways) assert.equal(await believed(soundJournal, hasDigests), 4);
  });

  it("cut at any byte, costs no more than the pieces behind the cut, and lies about none", async () => {
    for (const hasDigests of ways) {
      let last = 0;
      for (let length = 0; length <= soundJournal.length; length++) {
        const count = await believed(soundJournal.subarray(0, length), hasDigests);
        if (soundJournal.length - length < 40 * 4) assert.ok(count >= last, `${length} bytes`);
        last = soundJournal.length - length < 40 * 4 ? count : 0;
      }
      assert.equal(last, 4);
    }
  });

  it("with any bit flipped, makes nobody believe what is not there", async () => {
    for (const hasDigests of ways) {
      for (let bit = 0; bit < soundJournal.length * 8; bit++) {
        const flipped = Buffer.from(soundJournal);
        const at = bit >> 3;
        flipped[at] = (flipped[at] ?? 0) ^ (1 << (bit & 7));
        await believed(flipped, hasDigests);
      }
    }
  });

  it("damaged in many ways, and with records forged, makes nobody believe it either", async () => {
    for (let number = 0; number < 3000; number++) {
      const once = (seed + number) >>> 0;
      for (const hasDigests of ways) {
        await assert.doesNotReject(believed(damaged(once), hasDigests), `SEED=${once}`);
      }
    }
  });
});
