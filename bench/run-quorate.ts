/** Runs the production scheduler and transfer loop in one world, in virtual time. */

import { Checkpoint } from "../src/download/checkpoint.js";
import { Deliveries } from "../src/download/deliveries.js";
import { Support } from "../src/download/doubt/support.js";
import { transfer } from "../src/download/transfer.js";
import { limits } from "../src/limits.js";
import type { Replica } from "../src/ports.js";
import { RangeSet } from "../src/schedule/range.js";
import { Scheduler } from "../src/schedule/scheduler.js";
import { manifestOf } from "../src/trust/manifest.js";
import { decide, replicaId } from "../src/trust/quorum.js";
import { Link } from "../test/simulation/link.js";
import { nullPartial } from "../test/simulation/null-partial.js";
import { simulatedReplica } from "../test/simulation/simulated-replica.js";
import { manifestOfBytes, memoryReplica } from "../test/support/memory-replica.js";
import { VirtualClock } from "../test/support/virtual-clock.js";
import type { ScheduleWorld } from "./schedule-worlds.js";

const chunkBytes = 64 * 1024;
/** Of those that are gathered. */
const packetBytes = 16 * 1024;

/** How a download went. */
export interface Outcome {
  readonly seconds: number;
  /** Bytes that came in vain. */
  readonly wasted: number;
  readonly size: number;
  /** Replicas that were banned; all of them are honest. */
  readonly banned: number;
  /** Faults that were booked. */
  readonly faults: number;
  /** Reads on other streams than the first. */
  readonly readsBeside: number;
  /** How often it was decided what to do. */
  readonly turns: number;
  /** How many streams each replica had in the end. */
  readonly streams: readonly number[];
}

const contents = new Map<number, ReturnType<typeof madeContent>>();

function madeContent(size: number) {
  const bytes = Buffer.alloc(size);
  const honest = memoryReplica({ "file.bin": bytes });
  return { bytes, honest, manifest: manifestOfBytes(bytes) };
}

function contentOf(size: number) {
  const content = contents.get(size) ?? madeContent(size);
  contents.set(size, content);
  return content;
}

/** A download by Quorate, with the same chance every time. */
export async function runQuorate(world: ScheduleWorld): Promise<Outcome> {
  const clock = new VirtualClock();
  const { bytes: content, honest, manifest } = contentOf(world.size);
  const cap = world.cap;
  const clientLink = cap === undefined ? undefined : new Link(() => cap * 1e6);
  let readsBeside = 0;
  const replicas = new Map(
    world.replicas.map(({ rateAt, ...path }, index) => {
      const own = path.isGathered === true ? packetBytes : chunkBytes;
      const behaviour = { ...path, link: new Link(rateAt), clientLink, chunkBytes: own, content };
      const replica = simulatedReplica(honest, behaviour, clock);
      const read: Replica["read"] = (request, call) => {
        if (call.lane !== undefined && call.lane > 0) readsBeside++;
        return replica.read(request, call);
      };
      return [replicaId(`r${index}`), { ...replica, read }] as const;
    }),
  );
  const { size, digest, root, pieces: digests } = manifest;
  const votes = [...replicas.keys()].map((replica) => {
    return { replica, answer: { kind: "claimed", claim: { size, digest, root } } } as const;
  });
  const agreement = decide(votes, { kind: "majority" });
  if (!agreement.reached) throw new Error("equal claims agree");
  let seed = 1;
  const random = () => {
    seed = (seed * 1103515245 + 12345) % 2 ** 31;
    return seed / 2 ** 31;
  };
  const scheduler = new Scheduler(manifestOf(agreement.manifest), {
    verified: RangeSet.empty,
    random,
    isFollowed: size >= limits.prefixDigestBytes,
  });
  for (const [index, id] of [...replicas.keys()].entries()) {
    scheduler.join(id, world.replicas[index]?.latencyMs);
  }
  let turns = 0;
  const next = scheduler.decide.bind(scheduler);
  scheduler.decide = (now) => {
    turns++;
    clock.jump(world.decidingMs ?? 0);
    return next(now);
  };
  const partial = nullPartial();
  await transfer({
    name: "file.bin",
    agreement,
    replicas,
    lateVotes: [],
    scheduler,
    digests,
    partial,
    checkpoint: new Checkpoint(partial, 0),
    clock,
    bucket: undefined,
    doubts: undefined,
    support: new Support(agreement),
    deliveries: new Deliveries(agreement.manifest, false),
    intervalMs: 1e9,
    timeoutMs: 600_000,
    signal: new AbortController().signal,
    onEvent: () => {},
  });
  const { scores } = scheduler;
  const wasted = scores.reduce((sum, score) => sum + score.wastedBytes, 0);
  const banned = scores.filter(({ standing }) => standing === "banned").length;
  const kinds = scores.flatMap((score) => [...score.faults.values()]);
  const faults = kinds.reduce((sum, count) => sum + count, 0);
  const streams = scores.map((score) => score.streams);
  const seconds = clock.now() / 1000;
  return { seconds, wasted, size: world.size, banned, faults, readsBeside, turns, streams };
}
