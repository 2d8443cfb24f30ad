/**
 * Fills a partial: takes up what an earlier run left and what old copies have, transfers what is
 * missing, and proves the whole by reading it back. What the file is was agreed on before;
 * publishing it comes after.
 */

import { IntegrityError } from "../errors.js";
import type { Clock, Partial, Random, Seed } from "../ports.js";
import { byteCount, type Layout } from "../schedule/pieces.js";
import type { RangeSet } from "../schedule/range.js";
import { Scheduler } from "../schedule/scheduler.js";
import { TokenBucket } from "../schedule/token-bucket.js";
import type { Agreed } from "./agree.js";
import { Checkpoint } from "./checkpoint.js";
import { lateVotes } from "./late-votes.js";
import type { ResolvedOptions } from "./options.js";
import type { Got } from "./outcome.js";
import type { PieceList } from "./piece-list.js";
import { receiptLines } from "./progress.js";
import { resume, scan } from "./resume.js";
import { takeFromSeeds } from "./seeds.js";
import type { Replicas } from "./survey.js";
import { transfer } from "./transfer.js";
import { wholeDigest } from "./whole-digest.js";

/** What a partial is filled from, and with. */
export interface Filling {
  readonly request: { readonly name: string; readonly replicas: Replicas };
  readonly world: {
    readonly clock: Clock;
    readonly random: Random;
    readonly seeds?: readonly Seed[] | undefined;
  };
  readonly resolved: ResolvedOptions;
  readonly agreed: Agreed;
  readonly list: PieceList;
  readonly partial: Partial;
}

/** What a receipt says of the way there. */
export type Filled = Omit<Got, "path" | "digest" | "size">;

/** Makes the partial hold the agreed bytes, and proves it by reading them back. */
export async function fill(filling: Filling): Promise<Filled> {
  const { resolved, world, agreed, list, partial } = filling;
  const { manifest } = agreed.agreement;
  const layout: Layout = manifest;
  const resumed = await resume(partial, layout, { ...resolved, digests: list.digests });
  const checkpoint = new Checkpoint(partial, world.clock.now());
  for (const record of resumed.unrecorded) checkpoint.add(record, layout.pieceBytes);
  await checkpoint.flush();
  const resumedBytes = byteCount(layout, resumed.verified);
  if (resumedBytes > 0) resolved.onEvent({ event: "resumed", bytes: resumedBytes });

  const { digests } = list;
  const { verified } = resumed;
  const seeding = { ...resolved, ...world, layout, digests, verified, partial, checkpoint };
  const seeded = await takeFromSeeds(world.seeds ?? [], seeding);
  const scheduler = schedulerFor(filling, verified.union(seeded));
  await run(filling, scheduler, checkpoint);
  if ((await wholeDigest(partial.sink, manifest.size, resolved)) !== manifest.digest) {
    await mend(filling, scheduler, checkpoint);
  }
  const replicas = receiptLines(agreed.agreement, scheduler);
  return {
    resumedBytes,
    seededBytes: byteCount(layout, seeded),
    hedgedBytes: scheduler.ledger.hedgedPieces * layout.pieceBytes,
    wastedBytes: replicas.reduce((sum, { wastedBytes }) => sum + wastedBytes, 0),
    replicas,
  };
}

/**
 * All pieces passed and the whole does not: read the disk again by pieces, and fetch what differs,
 * once.
 */
async function mend(filling: Filling, scheduler: Scheduler, checkpoint: Checkpoint): Promise<void> {
  const { request, resolved, agreed, list, partial } = filling;
  const { manifest } = agreed.agreement;
  const failed = new IntegrityError(
    `get ${request.name}: the whole file does not have the digest that the quorum agreed on ` +
      `(${manifest.digest}); nothing was published`,
  );
  if (list.digests !== undefined) {
    const found = { ...partial, leftoverBytes: manifest.size };
    const { digests } = list;
    const { verified } = await scan(found, manifest, { ...resolved, digests });
    if (verified.count < manifest.pieceCount) {
      // The same scheduler: who was banned stays banned, and the receipt counts all of it.
      scheduler.ledger.reopen(scheduler.ledger.settled.subtract(verified));
      await run(filling, scheduler, checkpoint);
      const digest = await wholeDigest(partial.sink, manifest.size, resolved);
      if (digest === manifest.digest) return;
    }
  }
  await partial.discard();
  throw failed;
}

async function run(filling: Filling, scheduler: Scheduler, checkpoint: Checkpoint): Promise<void> {
  const { request, world, resolved, agreed, list, partial } = filling;
  const { limitRate } = resolved;
  const bucket = limitRate === undefined ? undefined : new TokenBucket(limitRate);
  const { clock, random } = world;
  const { digests } = list;
  await transfer({
    ...request,
    ...resolved,
    agreement: agreed.agreement,
    scheduler,
    checkpoint,
    digests,
    partial,
    clock,
    bucket,
    lateVotes: lateVotes(agreed, { ...request, ...resolved, clock }, random),
  });
}

function schedulerFor({ world, resolved, agreed, list }: Filling, verified: RangeSet): Scheduler {
  const { chunks, limitRate } = resolved;
  const { agreement, roundTripsMs } = agreed;
  const { random } = world;
  const scheduler = new Scheduler(agreement.manifest, {
    verified,
    chunks,
    limitRate,
    random,
    hedges: list.digests !== undefined,
  });
  for (const member of agreement.agreeing) scheduler.join(member, roundTripsMs.get(member));
  const now = world.clock.now();
  for (const { replica, fault } of list.faults) scheduler.faulted(replica, fault, now);
  return scheduler;
}
