/**
 * Breaks a virtual server on purpose, for demonstrations and tests: a decorator around its replica.
 */

import { limits } from "../limits.js";
import {
  type Call,
  type Chunk,
  type Clock,
  type ReadRequest,
  type Replica,
  sameReplica,
} from "../ports.js";
import { digestOf } from "../trust/digest.js";
import type { FaultName } from "./fault-names.js";
import { shapedReplica } from "./shaped-replica.js";

/** What a broken replica needs. */
export interface FaultyOptions {
  readonly clock: Clock;
  /** Ends the virtual server and breaks its connections. */
  readonly die: () => void;
}

/**
 * `lie`: claims another file of the same size. `corrupt`: changes one byte in every chunk.
 * `stall`: sends an eighth of each range and then nothing more, for ever. `slow`: 64 KiB a second.
 * `die`: breaks all its connections once it has sent an eighth of what it was asked for. `short`:
 * ends each range half way.
 */
export function faultyReplica(replica: Replica, fault: FaultName, options: FaultyOptions): Replica {
  const same = sameReplica(replica);
  switch (fault) {
    case "lie":
      return { ...same, claim: (name, call) => lyingClaim(replica, name, call) };
    case "corrupt":
      return { ...same, read: (request, call) => corrupted(replica, request, call) };
    case "stall":
      return { ...same, read: (request, call) => stalled(replica, request, call) };
    case "slow":
      return shapedReplica(same, {
        rateBytesPerSecond: limits.slowFaultRate,
        clock: options.clock,
      });
    case "die":
      return { ...same, read: (request, call) => dying(replica, request, call, options.die) };
    case "short":
      return { ...same, read: (request, call) => shortened(replica, request, call) };
    default:
      return fault satisfies never;
  }
}

async function lyingClaim(replica: Replica, name: string, call: Call) {
  const honest = await replica.claim(name, call);
  const invented = digestOf(Buffer.from(`not ${honest.claim.digest}`));
  return { ...honest, claim: { size: honest.claim.size, digest: invented, root: invented } };
}

async function* corrupted(replica: Replica, request: ReadRequest, call: Call) {
  for await (const { offset, bytes } of replica.read(request, call)) {
    const changed = Uint8Array.from(bytes);
    const middle = Math.floor(changed.length / 2);
    changed[middle] = (changed[middle] ?? 0) ^ 1;
    yield { offset, bytes: changed };
  }
}

/** The chunks of the first part of a range. */
async function* firstPart(
  replica: Replica,
  request: ReadRequest,
  call: Call,
  share: number,
): AsyncGenerator<Chunk> {
  const { start, end } = request.range;
  const range = { start, end: start + Math.floor((end - start) * share) };
  yield* replica.read({ ...request, range }, call);
}

async function* stalled(replica: Replica, request: ReadRequest, call: Call) {
  yield* firstPart(replica, request, call, 1 / 8);
  await new Promise((_, reject) => {
    call.signal.addEventListener("abort", () => reject(call.signal.reason), { once: true });
    if (call.signal.aborted) reject(call.signal.reason);
  });
}

async function* dying(replica: Replica, request: ReadRequest, call: Call, die: () => void) {
  yield* firstPart(replica, request, call, 1 / 8);
  die();
}

function shortened(replica: Replica, request: ReadRequest, call: Call) {
  return firstPart(replica, request, call, 1 / 2);
}
