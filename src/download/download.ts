/**
 * Gets a file. Read this first: ask everybody, keep the quorum, and attempt what it agreed on: take
 * up what an earlier run left, read from all members at once, check every piece and the whole, and
 * only then put the file in its place. When the file changes meanwhile the quorum is asked again;
 * when a root proves false it decides again.
 */

import type { Receipt } from "../receipt/receipt.js";
import { agree } from "./agree.js";
import { askAgain, decideAgain } from "./ask-again.js";
import { attempt } from "./attempt.js";
import { Lessons } from "./doubt/lessons.js";
import { EarlyReads } from "./early-reads.js";
import { thenLetGo } from "./let-go.js";
import { countingLost } from "./lost-bytes.js";
import {
  checkRequest,
  type DownloadOptions,
  type ResolvedOptions,
  resolveOptions,
} from "./options.js";
import type { DownloadRequest, DownloadWorld } from "./request.js";
import { zeroed } from "./zeroed.js";

/**
 * Resolves once the file is in its place and durable. Throws NotFoundError, NoQuorumError,
 * OutOfReplicasError, IntegrityError, StorageError or UsageError, or the signal's reason; the
 * output is then untouched, and everything verified so far is kept to be resumed.
 */
export async function download(
  request: DownloadRequest,
  world: DownloadWorld,
  options?: DownloadOptions,
): Promise<Receipt> {
  const resolved = resolveOptions(options);
  checkRequest("get", request.name, request.replicas.size);
  const timed = { ...world, clock: zeroed(world.clock) };
  return thenLetGo(resolved.signal, (signal) => getFile(request, timed, { ...resolved, signal }));
}

async function getFile(
  { name, replicas }: DownloadRequest,
  world: DownloadWorld,
  resolved: ResolvedOptions,
): Promise<Receipt> {
  const { clock } = world;
  const lessons = new Lessons();
  const request = { name, replicas: countingLost(replicas, lessons) };
  const asking = { request, world, resolved, lessons };
  const agreeing = agree("get", { ...request, ...resolved, clock });
  // Behind the questions, on the same connections.
  using early = new EarlyReads((replica, bytes) => lessons.received(replica, bytes));
  if (world.readsEarly === true) early.begin(name, request.replicas);
  let agreed = await agreeing;
  for (;;) {
    const outcome = await attempt({ ...asking, agreed, early });
    switch (outcome.kind) {
      case "done": {
        const { path, digest, size, ...rest } = outcome.got;
        const seconds = clock.now() / 1000;
        const receipt = { name, path, digest, size, seconds, ...rest };
        resolved.onEvent({ event: "receipt", ...receipt });
        return receipt;
      }
      case "lost-quorum":
        agreed = await askAgain(asking, outcome.why);
        break;
      case "root-doubted":
        agreed = decideAgain(asking, agreed, outcome);
        break;
      default:
        outcome satisfies never;
    }
  }
}
