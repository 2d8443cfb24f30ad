/** Decides again what the file is, when an attempt ended without it. */

import { NoQuorumError, NotFoundError, OutOfReplicasError } from "../errors.js";
import { limits } from "../limits.js";
import { decide } from "../trust/quorum.js";
import { type Agreed, agree, failureOf } from "./agree.js";
import type { Lessons } from "./doubt/lessons.js";
import type { ResolvedOptions } from "./options.js";
import type { Stop } from "./outcome.js";
import type { DownloadRequest, DownloadWorld } from "./request.js";

/** What it takes to ask again. */
export interface Asking {
  readonly request: DownloadRequest;
  readonly world: Pick<DownloadWorld, "clock">;
  readonly resolved: ResolvedOptions;
  readonly lessons: Lessons;
}

const after = "the file changed during the download";

/**
 * Asks all replicas again, after a pause: they change one after the other, so that no quorum now
 * may be one soon. Throws what the vote ends with when it was asked too often, OutOfReplicasError
 * when the file never stays what it is for long enough.
 */
export async function askAgain(asking: Asking, why: string): Promise<Agreed> {
  const { request, world, resolved, lessons } = asking;
  const { clock } = world;
  const { doubted } = lessons;
  let failure: Error | undefined;
  let cause = why;
  while (lessons.timesAsked < limits.asksAgain) {
    const times = lessons.asked();
    resolved.onEvent({ event: "asked-again", why: cause, times });
    const pauseMs = Math.min(limits.askAgainCapMs, limits.askAgainMs * 2 ** (times - 1));
    await clock.sleep(pauseMs, resolved.signal);
    try {
      return await agree("get", { ...request, ...resolved, clock, doubted }, after);
    } catch (error) {
      if (!(error instanceof NoQuorumError || error instanceof NotFoundError)) throw error;
      failure = error;
      cause = "there is no quorum yet";
    }
  }
  throw failure ?? endless(request.name, lessons.timesAsked);
}

/** The same votes, without the root that was tried: no replica need be asked. */
export function decideAgain(
  { request, resolved, lessons }: Asking,
  agreed: Agreed,
  { why }: Extract<Stop, { kind: "root-doubted" }>,
): Agreed {
  const { rule, manifest } = agreed.agreement;
  const { root = "" } = manifest;
  const freed = lessons.freedFrom(manifest);
  resolved.onEvent({ event: "root-doubted", root, why, freed });
  if (!lessons.triesRoots) lessons.doubtAll();
  const agreement = decide(lessons.votes, rule, lessons.doubted);
  if (!agreement.reached) throw failureOf(`get ${request.name}`, agreement);
  resolved.onEvent({ event: "agreement", agreement });
  return { ...agreed, agreement };
}

function endless(name: string, times: number): Error {
  const what = `the file changed again and again, and its quorum was lost ${times + 1} times`;
  return new OutOfReplicasError(
    `get ${name}: not all chunks are downloaded: ${what}; run it again to resume`,
  );
}
