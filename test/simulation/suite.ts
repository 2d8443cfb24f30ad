/** Runs one world after the other, and says of the first that fails how to see it again. */

import { messageOf } from "../../src/errors.js";
import { judge } from "./judge.js";
import { Marks } from "./marks.js";
import { randomWorld } from "./random-world.js";
import { runWorld } from "./run-world.js";
import { describeWorld } from "./world.js";

/** Runs and judges the world of one seed. */
export async function runSeed(seed: number, marks: Marks = new Marks()): Promise<void> {
  const story = await runWorld(randomWorld(seed), marks);
  try {
    judge(story, marks);
  } catch (error) {
    const replay = `SEED=${seed} npm run test:sim -- --worlds 1 --seed ${seed}`;
    const end = story.trace.slice(-12).map((line) => line.slice(0, 300));
    const lines = [messageOf(error), replay, describeWorld(story.world), ...end];
    throw new Error(lines.join("\n"), { cause: error });
  }
}

/** A failure in words, with the stack of what failed. */
export function report(error: unknown): string {
  const cause = error instanceof Error && error.cause instanceof Error ? error.cause.stack : "";
  return `${messageOf(error)}\n${cause ?? ""}`;
}
