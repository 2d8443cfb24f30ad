/**
 * Compares a file that is here already with what a quorum says it should be, and names the bad
 * ranges.
 */

import { OutOfReplicasError } from "../errors.js";
import type { Clock } from "../ports.js";
import { bytesOf } from "../schedule/pieces.js";
import { type Range, RangeSet } from "../schedule/range.js";
import type { FileManifest } from "../trust/manifest.js";
import { leafAt, leafCount, type PieceDigests } from "../trust/merkle.js";
import type { Reached } from "../trust/quorum.js";
import { agree } from "./agree.js";
import { thenLetGo } from "./let-go.js";
import { checkRequest, type DownloadOptions, resolveOptions } from "./options.js";
import { fetchPieceList } from "./piece-list.js";
import type { DownloadRequest } from "./request.js";

/** What verification needs from the world. */
export interface VerifyWorld {
  readonly clock: Clock;
  /** Reads the local file and divides it into pieces of this many bytes. */
  digestLocal(pieceBytes: number): Promise<FileManifest>;
}

/** The verdict on a local file. */
export interface Verification {
  readonly isRight: boolean;
  readonly agreement: Reached;
  readonly local: FileManifest;
  /**
   * Byte ranges that differ, or `undefined` when nobody gives pieces to tell by. Empty when it is
   * right.
   */
  readonly bad: readonly Range[] | undefined;
}

/**
 * Throws as `download` does when there is no quorum; StorageError when the local file cannot be
 * read.
 */
export async function verify(
  request: DownloadRequest,
  world: VerifyWorld,
  options?: DownloadOptions,
): Promise<Verification> {
  const resolved = resolveOptions(options);
  checkRequest("verify", request.name, request.replicas.size);
  const { clock } = world;
  const { agreement } = await thenLetGo(resolved.signal, (signal) =>
    agree("verify", { ...request, ...resolved, signal, clock }),
  );
  const local = await world.digestLocal(agreement.manifest.pieceBytes);
  const { digest, size } = agreement.manifest;
  const isRight = local.digest === digest && local.size === size;
  if (isRight) return { isRight, agreement, local, bad: [] };
  const asked = { ...request, clock, signal: resolved.signal };
  // What differs is told piece by piece; prefixes add nothing.
  const digests = await fetchPieceList({ ...agreement, prefixRoot: undefined }, asked).then(
    (list) => list.digests,
    (error: unknown) => {
      // It is wrong all the same; only where stays unknown.
      if (error instanceof OutOfReplicasError) return undefined;
      throw error;
    },
  );
  const bad = digests === undefined ? undefined : badRanges(local, agreement, digests);
  return { isRight, agreement, local, bad };
}

function badRanges(local: FileManifest, { manifest }: Reached, digests: PieceDigests): Range[] {
  const bad: number[] = [];
  const localCount = leafCount(local.pieces);
  for (let piece = 0; piece < manifest.pieceCount; piece++) {
    const isEqual =
      piece < localCount &&
      Buffer.compare(leafAt(local.pieces, piece), leafAt(digests, piece)) === 0;
    if (!isEqual) bad.push(piece);
  }
  const ranges = RangeSet.ofEach(bad).ranges.map((pieces) => bytesOf(manifest, pieces));
  const excess = { start: manifest.size, end: local.size };
  return local.size > manifest.size ? [...ranges, excess] : ranges;
}
