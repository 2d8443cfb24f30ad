/** Runs one world after the other, and says of the first that fails how to see it again. */

import { messageOf } from "../../src/errors.js";
import { randomWorld, type Trouble } from "./random-world.js";
import { judge, runWorld } from "./run-world.js";
import type { Marks } from "./troubled-replica.js";

/** Which worlds: those of the seeds `first`, `first + 1`, … */
export interface Suite {
  readonly first: number;
  readonly count: number;
  /** Told after each world how many there were. */
  readonly onWorld?: (done: number) => void;
  /** What was met before; it is counted on. */
  readonly marks?: Marks;
}

/** Gives what was met; throws at the first world that ends as it must not. */
export async function suite({
  first,
  count,
  onWorld = () => {},
  marks = new Map(),
}: Suite): Promise<Marks> {
  for (let done = 0; done < count; done++) {
    await runSeed(first + done, marks);
    onWorld(done + 1);
  }
  return marks;
}

/** Runs and judges the world of one seed. */
export async function runSeed(seed: number, marks: Marks = new Map()): Promise<void> {
  const run = await runWorld(randomWorld(seed), marks);
  try {
    judge(run);
  } catch (error) {
    const replicas = run.world.replicas.map(({ trouble }) => JSON.stringify(trouble));
    const replay = `SEED=${seed} npm run test:sim -- --worlds 1 --seed ${seed}`;
    const end = run.trace.slice(-12).join("\n");
    throw new Error(`${messageOf(error)}\n${replay}\n${replicas.join("\n")}\n${end}`, {
      cause: error,
    });
  }
}

/** What no world met. */
export function unmetMarks(marks: Marks): string[] {
  const kinds: readonly Trouble["kind"][] = [
    ...(["lie", "changes-its-story", "corrupt", "short"] as const),
    ...(["away", "busy", "silent", "changed"] as const),
  ];
  return kinds.filter((kind) => !marks.has(kind));
}

/** A failure in words, with the stack of what failed. */
export function report(error: unknown): string {
  const cause = error instanceof Error && error.cause instanceof Error ? error.cause.stack : "";
  return `${messageOf(error)}\n${cause ?? ""}`;
}
