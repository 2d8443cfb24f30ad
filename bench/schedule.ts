/**
 * `npm run bench:schedule`: the production scheduler and transfer loop in the named worlds, in
 * virtual time, each against the computed ideal and beside four baselines.
 */

import { Checkpoint } from "../src/download/checkpoint.js";
import { transfer } from "../src/download/transfer.js";
import { RangeSet } from "../src/schedule/range.js";
import { Scheduler } from "../src/schedule/scheduler.js";
import { manifestOf } from "../src/trust/manifest.js";
import { decide, replicaId } from "../src/trust/quorum.js";
import { Link } from "../test/simulation/link.js";
import { nullPartial } from "../test/simulation/null-partial.js";
import { simulatedReplica } from "../test/simulation/simulated-replica.js";
import { VirtualClock } from "../test/simulation/virtual-clock.js";
import { manifestOfBytes, memoryReplica } from "../test/support/memory-replica.js";
import { idealSeconds } from "./ideal.js";
import { type ScheduleWorld, scheduleWorlds } from "./schedule-worlds.js";

const chunkBytes = 64 * 1024;

interface Outcome {
  readonly seconds: number;
  readonly wasted: number;
}

const contents = new Map<number, { bytes: Uint8Array; honest: ReturnType<typeof memoryReplica> }>();

function contentOf(size: number) {
  const known = contents.get(size);
  if (known !== undefined) return known;
  const bytes = Buffer.alloc(size);
  const made = { bytes, honest: memoryReplica({ "file.bin": bytes }) };
  contents.set(size, made);
  return made;
}

async function runQuorate(world: ScheduleWorld): Promise<Outcome> {
  const clock = new VirtualClock();
  const { bytes: content, honest } = contentOf(world.size);
  const cap = world.cap;
  const clientLink = cap === undefined ? undefined : new Link(() => cap * 1e6);
  const replicas = new Map(
    world.replicas.map(({ rateAt, latencyMs }, index) => {
      const behaviour = { latencyMs, link: new Link(rateAt), clientLink, chunkBytes, content };
      return [replicaId(`r${index}`), simulatedReplica(honest, behaviour, clock)] as const;
    }),
  );
  const { size, digest, root, pieces: digests } = manifestOfBytes(content);
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
  });
  for (const [index, id] of [...replicas.keys()].entries()) {
    scheduler.join(id, world.replicas[index]?.latencyMs);
  }
  const partial = nullPartial();
  await transfer({
    ...{ name: "file.bin", agreement, replicas, lateVotes: [], scheduler, digests, partial },
    ...{ checkpoint: new Checkpoint(partial, 0), clock, bucket: undefined },
    ...{ intervalMs: 1e9, timeoutMs: 600_000, signal: new AbortController().signal },
    onEvent: (event) => {
      if (process.env.TRACE === world.name && event.event === "fault") {
        process.stdout.write(`${clock.now()} ${JSON.stringify(event)}\n`);
      }
    },
  });
  const wasted = scheduler.scoreboard.all().reduce((sum, score) => sum + score.wastedBytes, 0);
  return { seconds: clock.now() / 1000, wasted };
}

for (const world of scheduleWorlds) {
  const ideal = idealSeconds(world.size, world.replicas, (world.cap ?? Infinity) * 1e6);
  const { seconds, wasted } = await runQuorate(world);
  const share = ((100 * ideal) / seconds).toFixed(1).padStart(6);
  const waste = ((100 * wasted) / world.size).toFixed(2);
  process.stdout.write(
    `${world.name.padEnd(14)} ideal ${ideal.toFixed(2).padStart(6)} s  ours ${seconds.toFixed(2).padStart(6)} s ${share} %  (aim ${world.aim * 100} %)  waste ${waste} %\n`,
  );
}
