/**
 * Takes up what this machine has of a file before any of it is fetched: the pieces that an earlier
 * run left in the partial, then those that old copies have.
 */

import { limits } from "../limits.js";
import { byteCount } from "../schedule/pieces.js";
import type { RangeSet } from "../schedule/range.js";
import { digestBytes } from "../trust/digest.js";
import type { PieceDigests } from "../trust/merkle.js";
import { Checkpoint } from "./checkpoint.js";
import { aSeed, type Deliveries } from "./deliveries.js";
import type { FillJob } from "./fill-job.js";
import { resume } from "./resume.js";
import { takeFromSeeds } from "./seeds.js";

/** What a fill begins with. */
export interface TakenUp {
  /** Pieces that are in the partial, and verified. */
  readonly verified: RangeSet;
  /** Knows where each of them came from. */
  readonly deliveries: Deliveries;
  readonly checkpoint: Checkpoint;
}

/**
 * Takes up what is there, as far as `digests`, or the journal where nobody gives pieces, shows it
 * to be right. Throws StorageError, or the signal's reason when it is aborted.
 */
export async function takeUp(job: FillJob, digests: PieceDigests | undefined): Promise<TakenUp> {
  const { resolved, world, agreed, pieceList, partial, lessons } = job;
  const { clock } = world;
  const { intervalMs, signal, onEvent } = resolved;
  const { manifest } = agreed.agreement;
  const resumed = await resume(partial, manifest, { ...resolved, digests });
  const now = clock.now();
  const checkpoint = new Checkpoint(partial, now);
  for (const record of resumed.unrecorded) checkpoint.add(record, manifest.pieceBytes, now);
  await checkpoint.flush();
  const resumedBytes = byteCount(manifest, resumed.verified);
  if (resumedBytes > 0) onEvent({ event: "resumed", bytes: resumedBytes });

  const isSmall = manifest.pieceCount * digestBytes <= limits.pieceListBytes;
  const keepsDigests = !pieceList.hasDigests && isSmall;
  const deliveries = lessons.deliveriesOf(manifest, resumed.verified, keepsDigests);
  for (const { piece, digest } of resumed.recorded) deliveries.found(piece, digest);
  const seeded = await takeFromSeeds(world.seeds ?? [], {
    layout: manifest,
    digests,
    verified: resumed.verified,
    partial,
    checkpoint,
    clock,
    intervalMs,
    signal,
    onEvent,
  });
  deliveries.areFrom(aSeed, seeded);
  return { verified: resumed.verified.union(seeded), deliveries, checkpoint };
}
