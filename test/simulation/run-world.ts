/** Runs the production download in a random world, and judges what came of it. */

import assert from "node:assert/strict";
import { download } from "../../src/download/download.js";
import type { DownloadEvent, Receipt } from "../../src/download/progress.js";
import { messageOf, QuorateError } from "../../src/errors.js";
import { hedgeBudget } from "../../src/schedule/hedge.js";
import { manifestOf } from "../../src/trust/manifest.js";
import { neededBy, replicaId } from "../../src/trust/quorum.js";
import { madeUp } from "../support/made-up.js";
import { memoryPartial, memoryStore } from "../support/memory-partial.js";
import { manifestOfBytes, memoryReplica } from "../support/memory-replica.js";
import { Seeded } from "../support/seeded.js";
import { Link } from "./link.js";
import { forever, isReliable, type RandomWorld } from "./random-world.js";
import { simulatedReplica } from "./simulated-replica.js";
import { type Marks, silenced, troubledReplica } from "./troubled-replica.js";
import { VirtualClock } from "./virtual-clock.js";

/** How a run went. */
export interface Run {
  readonly world: RandomWorld;
  readonly receipt: Receipt | undefined;
  readonly error: unknown;
  /** Virtual milliseconds. */
  readonly tookMs: number;
  readonly published: Uint8Array | undefined;
  /** What was told, in order: the same seed gives the same trace. */
  readonly trace: readonly string[];
}

const name = "file.bin";
const chunkBytes = 16 * 1024;
const allBytes = madeUp(4 * 1024 * 1024);
/**
 * The slowest link drawn, 0.2 MB/s fallen to a fiftieth, takes 1,050 s for 4 MiB; nobody takes
 * longer.
 */
const longestMs = 1_500_000;

export async function runWorld(world: RandomWorld, marks: Marks): Promise<Run> {
  const clock = new VirtualClock();
  const chance = new Seeded(world.seed ^ 0x5eed);
  const content = allBytes.subarray(0, world.size);
  const honest = memoryReplica({ [name]: content });
  const { cap } = world;
  const clientLink = cap === undefined ? undefined : new Link(() => cap * 1e6);
  const replicas = new Map(
    world.replicas.map(({ rateAt, latencyMs, trouble }, index) => {
      const link = new Link(silenced(rateAt, trouble));
      const behaviour = { latencyMs, link, clientLink, chunkBytes, content };
      const simulated = simulatedReplica(honest, behaviour, clock);
      const replica = troubledReplica(simulated, trouble, { clock, chance, marks });
      return [replicaId(`r${index}`), replica] as const;
    }),
  );
  const store = memoryStore();
  const trace: string[] = [];
  const onEvent = (event: DownloadEvent) => {
    if (event.event === "fault" && event.fault.kind === "late") {
      marks.set("silent", (marks.get("silent") ?? 0) + 1);
    }
    trace.push(`${clock.now().toFixed(3)} ${JSON.stringify(event)}`);
  };
  const parts = {
    clock,
    random: () => chance.next(),
    openPartial: (manifest: Parameters<typeof memoryPartial>[1]) => memoryPartial(store, manifest),
  };
  let receipt: Receipt | undefined;
  let error: unknown;
  try {
    receipt = await download({ name, replicas }, parts, { onEvent, intervalMs: 1000 });
  } catch (thrown) {
    error = thrown;
  }
  const tookMs = clock.now();
  return { world, receipt, error, tookMs, published: store.published, trace };
}

/** Throws unless a run ended as it must. */
export function judge({ world, receipt, error, tookMs, published }: Run): void {
  const { replicas, size } = world;
  const content = allBytes.subarray(0, size);
  assert.ok(tookMs < longestMs, `it took ${tookMs} virtual ms`);
  if (error !== undefined) {
    assert.ok(error instanceof QuorateError, `a bug, not an answer: ${messageOf(error)}`);
    assert.equal(published, undefined, "what failed is not published");
    assert.ok(!mustSucceed(world), `it had to succeed, and failed: ${error.message}`);
    return;
  }
  assert.ok(published !== undefined && Buffer.compare(published, content) === 0, "wrong bytes");
  assert.ok(receipt !== undefined);
  const delivered = receipt.replicas.reduce((sum, line) => sum + line.deliveredBytes, 0);
  assert.equal(delivered, size, "every byte is delivered once");
  const { digest, root } = manifestOfBytes(content);
  const manifest = manifestOf({ size, digest, root });
  const budget = hedgeBudget(manifest.pieceCount) * manifest.pieceBytes;
  assert.ok(receipt.hedgedBytes <= budget, `${receipt.hedgedBytes} bytes were hedged`);
  for (const [index, line] of receipt.replicas.entries()) {
    const trouble = replicas[index]?.trouble.kind ?? "none";
    if (line.standing === "banned") assert.equal(trouble, "corrupt", `${line.address} is banned`);
    if (trouble === "none") assert.equal(line.faults.corrupt, undefined);
  }
}

/**
 * With so many who tell the truth from the start, and one of them to be relied on, there is no
 * excuse.
 */
function mustSucceed({ replicas }: RandomWorld): boolean {
  const truthful = replicas.filter(({ trouble, latencyMs }) => {
    if (trouble.kind === "lie" || trouble.kind === "changes-its-story") return false;
    const isThere = !("from" in trouble) || trouble.from > 2 * latencyMs + 600;
    return isThere && latencyMs < 1000;
  });
  const reliable = truthful.some((replica) => isReliable(replica) && !isDoomed(replica));
  return truthful.length >= neededBy({ kind: "majority" }, replicas.length) && reliable;
}

/** A replica that is away for so long that nobody need wait for it. */
function isDoomed({ trouble }: RandomWorld["replicas"][number]): boolean {
  return "until" in trouble && trouble.until === forever;
}
