import assert from "node:assert/strict";
import { SpareMemory } from "../../src/download/spare-memory.js";

const MiB = 1024 * 1024;

describe("spare memory", () => {
  it("gives what was given back, to whom it is large enough", () => {
    const spare = new SpareMemory();
    const memory = spare.take(MiB);
    assert.equal(memory.length, MiB);
    spare.giveBack(memory);
    assert.equal(spare.take(1000), memory);
    spare.giveBack(memory);
    assert.equal(spare.take(2 * MiB).length, 2 * MiB);
  });

  it("gives nothing to two at once", () => {
    const spare = new SpareMemory();
    spare.giveBack(spare.take(MiB));
    assert.notEqual(spare.take(MiB), spare.take(MiB));
  });

  it("keeps no more than it is told", () => {
    const spare = new SpareMemory(undefined, MiB);
    const [first, second] = [spare.take(MiB), spare.take(MiB)];
    spare.giveBack(first);
    spare.giveBack(second);
    assert.deepEqual([spare.take(MiB) === first, spare.take(MiB) === second], [true, false]);
  });

  it("keeps no more than 16 MiB otherwise", () => {
    const spare = new SpareMemory();
    const taken = Array.from({ length: 20 }, () => spare.take(MiB));
    for (const memory of taken) spare.giveBack(memory);
    const again = Array.from({ length: 20 }, () => spare.take(MiB));
    assert.equal(again.filter((memory) => taken.includes(memory)).length, 16);
    for (const memory of again) spare.giveBack(memory);
    assert.ok(taken.includes(spare.take(MiB)), "what was taken makes room again");
  });
});
