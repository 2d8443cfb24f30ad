import assert from "node:assert/strict";
import { seed } from "../support/seeded.js";
import { runModelledWorld } from "./modelled-life.js";
import type { Plant } from "./modelled-world.js";

/** Worlds of a hundred states each. */
const worlds = 120;

async function firstWrong(plant: Plant) {
  let states = 0;
  for (let number = 0; number < worlds; number++) {
    const run = await runModelledWorld({ plant, seed: (seed + number) >>> 0 });
    states += run.states;
    if (run.wrong !== undefined) return { states, wrong: run.wrong };
  }
  return { states, wrong: undefined };
}

/** What each bug does, in the words of the judge. */
const plants = {
  "no-sync": /piece \d+ was safe and is fetched again|the file is wrong on the disk/,
  "early-records": /killed: piece \d+ was safe and is fetched again/,
  "old-records": /power cut: piece \d+ is believed, and its bytes are not there/,
  "nothing-taken-back": /killed: the file is wrong on the disk/,
  "nothing-disowned": /killed: the file is wrong on the disk/,
  unsettled: /killed: (the file is wrong on the disk|piece \d+ was safe and is fetched again)/,
} satisfies Record<Exclude<Plant, "none">, RegExp>;

describe(`a disk that drops, tears, reorders and refuses what was not synced (SEED=${seed})`, function () {
  this.timeout(120_000);

  it("whatever an end leaves, nothing wrong is believed and nothing safe is lost", async () => {
    const { states, wrong } = await firstWrong("none");
    assert.equal(wrong, undefined);
    assert.ok(states > worlds, `${states} states were judged`);
  });

  for (const plant of Object.keys(plants) as (keyof typeof plants)[]) {
    it(`a control that must fail: ${plant} is planted`, async () => {
      const { wrong } = await firstWrong(plant);
      assert.match(String(wrong), plants[plant]);
    });
  }
});
