/** Runs one world after the other, and says of the first that fails how to see it again. */

import { messageOf } from "../../src/errors.js";
import { judge } from "./judge.js";
import type { Marks } from "./marks.js";
import { randomWorld } from "./random-world.js";
import { runWorld } from "./run-world.js";
import { describeWorld, type World } from "./world.js";

/** Runs and judges the world of one seed. */
export async function runSeed(seed: number, marks: Marks): Promise<void> {
  try {
    await runJudged(randomWorld(seed), marks);
  } catch (error) {
    const replay = `SEED=${seed} npm run test:sim -- --worlds 1`;
    throw new Error(`${replay}\n${messageOf(error)}`, { cause: causeOf(error) });
  }
}

/** Runs and judges a world. */
export async function runJudged(world: World, marks: Marks): Promise<void> {
  const story = await runWorld(world, marks);
  try {
    judge(story, marks);
  } catch (error) {
    const end = story.trace.slice(-24).map((line) => line.slice(0, 300));
    const lines = [messageOf(error), describeWorld(story.world), ...end];
    throw new Error(lines.join("\n"), { cause: error });
  }
}

/** A failure in words, with the stack of what failed. */
export function report(error: unknown): string {
  const cause = causeOf(error);
  return `${messageOf(error)}\n${cause instanceof Error ? (cause.stack ?? "") : ""}`;
}

function causeOf(error: unknown): unknown {
  return error instanceof Error ? error.cause : undefined;
}
