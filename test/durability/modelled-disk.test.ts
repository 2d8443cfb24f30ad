import assert from "node:assert/strict";
import { seed } from "../support/seeded.js";
import { type ModelledWorld, runModelledWorld } from "./modelled-life.js";

/** Worlds of a few hundred states each. */
const worlds = 60;

async function firstWrong(kind: Pick<ModelledWorld, "plant" | "isBelieved">, count: number) {
  let states = 0;
  for (let number = 0; number < count; number++) {
    const run = await runModelledWorld({ ...kind, seed: (seed + number) >>> 0 });
    states += run.states;
    if (run.wrong !== undefined) return { states, wrong: run.wrong };
  }
  return { states, wrong: undefined };
}

describe(`a disk that drops, tears and reorders what was not synced (SEED=${seed})`, function () {
  this.timeout(120_000);

  it("whatever a cut leaves, nothing wrong is believed and nothing durable is lost", async () => {
    const { states, wrong } = await firstWrong({ plant: "none", isBelieved: false }, worlds);
    assert.equal(wrong, undefined);
    assert.ok(states > worlds, `${states} states were judged`);
  });

  it("the order of syncs alone backs every record, even for who believes the journal", async () => {
    const { wrong } = await firstWrong({ plant: "none", isBelieved: true }, worlds);
    assert.equal(wrong, undefined);
  });

  it("a new header never stands above another file's records", async () => {
    for (const once of [1239, 1270]) {
      for (const isBelieved of [true, false]) {
        const { wrong } = await runModelledWorld({ plant: "none", isBelieved, seed: once });
        assert.equal(wrong, undefined);
      }
    }
  });

  for (const plant of ["no-sync", "journal-first", "late-records"] as const) {
    it(`a control that must fail: the journal believed, with ${plant} planted`, async () => {
      const { wrong } = await firstWrong({ plant, isBelieved: true }, worlds);
      assert.match(String(wrong), /is believed, and its bytes are not there/);
    });

    it(`hashing again saves even a client with ${plant} planted`, async () => {
      const { wrong } = await firstWrong({ plant, isBelieved: false }, worlds);
      assert.doesNotMatch(String(wrong), /is believed|wrong in the end/);
    });
  }
});
