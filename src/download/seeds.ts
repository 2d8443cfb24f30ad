/**
 * Takes from old copies of the file whatever is equal at the same place, before anybody is asked
 * for it. An old copy is trusted no more than a replica: each piece is verified in memory first.
 */

import { StorageError } from "../errors.js";
import { limits } from "../limits.js";
import type { Clock, PartialOutput, Seed } from "../ports.js";
import { byteCount, type Layout, pieceLength } from "../schedule/pieces.js";
import { RangeSet } from "../schedule/range.js";
import { leafAt, leafDigest, type PieceDigests } from "../trust/merkle.js";
import type { Checkpoint } from "./checkpoint.js";
import type { OnEvent } from "./progress.js";
import { piecesOf } from "./resume.js";

/** What seeds are taken into. */
export interface Seeding {
  readonly layout: Layout;
  /** Without a piece list nobody can tell what is equal, and no seed is read. */
  readonly digests: PieceDigests | undefined;
  /** Pieces that are there already. */
  readonly verified: RangeSet;
  readonly partial: Pick<PartialOutput, "sink">;
  readonly checkpoint: Checkpoint;
  readonly clock: Clock;
  /** Milliseconds between two events of progress. */
  readonly intervalMs: number;
  readonly signal: AbortSignal;
  readonly onEvent: OnEvent;
}

/**
 * Gives the pieces that are now in the partial because a seed had them. What a seed cannot give is
 * left to the next one. Throws StorageError when the partial cannot be written, and the signal's
 * reason when it is aborted; what was taken by then is in the journal.
 */
export async function takeFromSeeds(seeds: readonly Seed[], seeding: Seeding): Promise<RangeSet> {
  const { layout, verified, digests, onEvent, checkpoint } = seeding;
  const all = RangeSet.of({ start: 0, end: layout.pieceCount });
  let missing = all.subtract(verified);
  if (seeds.length === 0 || missing.isEmpty) return RangeSet.empty;
  if (digests === undefined) {
    const paths = seeds.map(({ path }) => path);
    onEvent({ event: "seed-skipped", paths, why: "no replica gives pieces to compare it by" });
    return RangeSet.empty;
  }
  try {
    for (const seed of seeds) {
      const taken = await takeFrom(seed, missing, { ...seeding, digests });
      missing = missing.subtract(taken);
      onEvent({ event: "seeded", path: seed.path, bytes: byteCount(layout, taken) });
      if (missing.isEmpty) break;
    }
  } catch (error) {
    // What was taken need not be compared again; the failure that is being thrown matters more.
    await checkpoint.flush().catch(() => {});
    throw error;
  }
  return all.subtract(verified).subtract(missing);
}

async function takeFrom(
  seed: Seed,
  wanted: RangeSet,
  seeding: Seeding & { readonly digests: PieceDigests },
): Promise<RangeSet> {
  const { layout, digests, partial, checkpoint, clock, signal, onEvent } = seeding;
  const buffer = Buffer.allocUnsafeSlow(layout.pieceBytes);
  const taken: number[] = [];
  let refused = 0;
  let toldAt = clock.now();
  for (const piece of piecesOf(wanted)) {
    signal.throwIfAborted();
    const start = piece * layout.pieceBytes;
    const bytes = buffer.subarray(0, pieceLength(layout, piece));
    if (start + bytes.length > seed.size) break;
    const outcome = await readPiece(seed, start, bytes);
    if (outcome instanceof StorageError && ++refused >= limits.seedRefusals) {
      onEvent({ event: "seed-skipped", paths: [seed.path], why: outcome.message });
      break;
    }
    const digest = leafAt(digests, piece);
    if (outcome === "read" && Buffer.compare(leafDigest(bytes), digest) === 0) {
      await partial.sink.write(start, bytes);
      const record = { piece, digest };
      checkpoint.add(record, bytes.length, clock.now());
      taken.push(piece);
    }
    const now = clock.now();
    checkpoint.poll(now);
    if (now - toldAt < seeding.intervalMs) continue;
    toldAt = now;
    const [doneBytes, totalBytes] = [start + bytes.length, Math.min(seed.size, layout.size)];
    onEvent({ event: "seeding", path: seed.path, doneBytes, totalBytes });
  }
  return RangeSet.ofEach(taken);
}

/** A place that cannot be read is as good as one that differs. */
async function readPiece(
  seed: Seed,
  offset: number,
  bytes: Uint8Array,
): Promise<"read" | "short" | StorageError> {
  try {
    return (await seed.read(offset, bytes)) === bytes.length ? "read" : "short";
  } catch (error) {
    if (error instanceof StorageError) return error;
    throw error;
  }
}
