/**
 * The production scheduler and transfer loop in worlds made from a seed. `SEED=n` replays one
 * world, `WORLDS=n` runs so many. The worlds are the same each time, so that a red run is the
 * change's doing; `npm run test:sim` goes on from another seed each night.
 */

import assert from "node:assert/strict";
import { knownWorlds } from "./known-worlds.js";
import { Marks } from "./marks.js";
import { randomWorld } from "./random-world.js";
import { runWorld } from "./run-world.js";
import { runJudged, runSeed } from "./suite.js";

const given = process.env.SEED;
const worlds = given === undefined ? Number(process.env.WORLDS ?? 2000) : 1;
/** Always the same worlds: other ones are for `npm run test:sim`, and for the night. */
const first = Number(given ?? 1);
/** So many worlds in one test: on a slow machine each has two minutes. */
const perTest = 250;

describe("simulated worlds", () => {
  const marks = new Marks();
  for (let done = 0; done < worlds; done += perTest) {
    const count = Math.min(perTest, worlds - done);
    const from = first + done;
    it(`${count} from seed ${from} on end with the right file, or a reason`, async function () {
      this.timeout(120_000);
      for (let seed = from; seed < from + count; seed++) await runSeed(seed, marks);
    });
  }

  it("every fault and every reaction was met at least once", function () {
    // Fewer worlds may miss the rare ones by chance.
    if (worlds < 2000) this.skip();
    assert.deepEqual(marks.unmet, []);
  });

  for (const [fact, world] of knownWorlds) {
    it(`${fact}: mended, and it stays so`, () => runJudged(world, new Marks()));
  }

  it("the same seed gives the same trace twice", async () => {
    // Late votes and cuts, in which chance could hide, are not in every world.
    for (let seed = first; seed < first + Math.min(worlds, 100); seed++) {
      const [once, twice] = [await runWorld(randomWorld(seed)), await runWorld(randomWorld(seed))];
      assert.deepEqual(once.trace, twice.trace, `seed ${seed}`);
    }
  });
});
