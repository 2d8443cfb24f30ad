/**
 * Fills a partial: takes up what an earlier run left and what old copies have, transfers what is
 * missing, and proves the whole by reading it back. What the file is was agreed on before;
 * publishing it comes after.
 */

import type { LeafHasher, PrefixDigest } from "../hash-ports.js";
import type { PartialOutput } from "../ports.js";
import type { RangeSet } from "../schedule/range.js";
import { Scheduler } from "../schedule/scheduler.js";
import { Chain } from "./chain.js";
import { digestHere } from "./digest-here.js";
import type { FillJob, FillRun } from "./fill-job.js";
import type { Stop } from "./outcome.js";
import { prove } from "./prove.js";
import { takeUp } from "./take-up.js";
import { transferMissing } from "./transfer-missing.js";

/** The partial holds the agreed bytes; `run` knows who delivered them. */
export interface Filled {
  readonly kind: "filled";
  readonly run: FillRun;
}

/**
 * Makes the partial hold the agreed bytes, and proves it by reading them back. Gives the reason
 * instead when that has become pointless.
 */
export async function fill(job: FillJob): Promise<Filled | Stop> {
  const { world, agreed, pieceList, partial, lessons } = job;
  const { manifest } = agreed.agreement;
  const known = isAllMissing(job) ? undefined : await pieceList.outcome;
  if (known !== undefined || !pieceList.hasDigests) job.early[Symbol.dispose]();
  if (known !== undefined && known.kind !== "given") return known;
  const { verified, deliveries, checkpoint } = await takeUp(job, known?.list.digests);
  await using prefix = prefixDigestOf(partial, manifest.size);
  const scheduler = schedulerFor(job, verified, prefix !== undefined);
  await using hasher = leafHasherFor(job);
  const { sink } = partial;
  const chain = prefix && new Chain({ prefix, scheduler, sink, clock: world.clock });
  // Where pieces are hashed on cores of their own, leaving them to the chain gains nothing.
  if (hasher === undefined) {
    pieceList.whenGiven(({ prefixes }) => {
      if (prefixes !== undefined) chain?.begin(prefixes);
    });
  }
  const run = { ...job, scheduler, checkpoint, deliveries, prefix, chain, hasher };
  const stop = (await transferMissing(run)) ?? (await proveDurably(run));
  lessons.attempted(manifest, scheduler);
  return stop ?? { kind: "filled", run };
}

/**
 * Whether nothing is there that must be compared with the piece list first: then reads begin at
 * once, and what they bring waits for it. Not under a doubtful root: it would be in vain too often.
 */
function isAllMissing({ partial, world, doubts }: FillJob): boolean {
  const isFresh = partial.leftoverBytes === 0 && partial.journal.claimed === undefined;
  return isFresh && (world.seeds ?? []).length === 0 && doubts === undefined;
}

/** Reads it back and makes it durable, both at once: either takes its time. */
async function proveDurably(run: FillRun): Promise<Stop | undefined> {
  const { checkpoint } = run;
  // A failure is kept, and thrown by the flush below.
  const flushed = checkpoint.flush(true).catch(() => {});
  const stop = await prove(run).finally(() => flushed);
  // What mending wrote, if it did.
  await checkpoint.flush();
  return stop;
}

/** The running digest of the partial; a handoff has its own. */
function prefixDigestOf(
  { sink, startDigest }: PartialOutput,
  size: number,
): PrefixDigest | undefined {
  return sink.handoff === undefined ? (startDigest?.() ?? digestHere(sink, size)) : undefined;
}

/** Hashes pieces on other cores, where there are digests to check them by. */
function leafHasherFor({ agreed, pieceList, resolved, world }: FillJob): LeafHasher | undefined {
  if (!pieceList.hasDigests) return undefined;
  const { size } = agreed.agreement.manifest;
  return world.startLeafHasher?.({ size, threads: resolved.hashThreads });
}

function schedulerFor(job: FillJob, verified: RangeSet, isFollowed: boolean): Scheduler {
  const { world, resolved, agreed, pieceList, partial } = job;
  const { chunks, limitRate } = resolved;
  const { agreement, roundTripsMs } = agreed;
  const { random } = world;
  const scheduler = new Scheduler(agreement.manifest, {
    verified,
    chunks,
    limitRate,
    random,
    hedges: pieceList.hasDigests,
    windowBytes: partial.sink.handoff?.windowBytes,
    isFollowed,
  });
  for (const member of agreement.agreeing) scheduler.join(member, roundTripsMs.get(member));
  pieceList.whenGiven(({ faults }) => {
    for (const { replica, fault } of faults) scheduler.faulted(replica, fault, world.clock.now());
  });
  weigh(job, scheduler);
  return scheduler;
}

/** Replicas that earned a ban, or keep changing their file, have a vote and deliver nothing. */
function weigh({ agreed, lessons }: FillJob, scheduler: Scheduler): void {
  const { manifest, agreeing } = agreed.agreement;
  for (const member of agreeing) {
    if (!lessons.turnsTooOften(member, manifest)) continue;
    scheduler.withdraw(member, "changed: it says so, and claims the same again");
  }
  for (const ban of lessons.sentenced(agreed.agreement)) scheduler.ban(ban);
}
