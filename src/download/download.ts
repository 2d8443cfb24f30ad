/**
 * Gets a file. Read this first: ask everybody, keep the quorum, take up what an earlier run left,
 * read from all members at once, check every piece and the whole, and only then put the file in its
 * place.
 */

import type { Clock, Partial, Random } from "../ports.js";
import type { Manifest } from "../trust/manifest.js";
import { agree } from "./agree.js";
import { fill } from "./fill.js";
import { thenLetGo } from "./let-go.js";
import {
  checkRequest,
  type DownloadOptions,
  type ResolvedOptions,
  resolveOptions,
} from "./options.js";
import { fetchPieceList } from "./piece-list.js";
import type { Receipt } from "./progress.js";
import type { Replicas } from "./survey.js";

/** What a download needs from the world. */
export interface DownloadWorld {
  readonly clock: Clock;
  readonly random: Random;
  /** Locks and opens the unfinished file of this manifest. */
  openPartial(manifest: Manifest): Promise<Partial>;
}

/** What to get, and from whom. */
export interface DownloadRequest {
  readonly name: string;
  readonly replicas: Replicas;
}

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
  return thenLetGo(resolved.signal, (signal) => getFile(request, world, { ...resolved, signal }));
}

async function getFile(
  request: DownloadRequest,
  world: DownloadWorld,
  resolved: ResolvedOptions,
): Promise<Receipt> {
  const { clock } = world;
  const startedAt = clock.now();
  const agreed = await agree("get", { ...request, ...resolved, clock });
  const { agreement } = agreed;
  const list = await fetchPieceList(agreement, { ...request, clock, signal: resolved.signal });
  for (const { replica, fault } of list.faults) {
    resolved.onEvent({ event: "fault", replica, fault });
  }
  await using partial = await world.openPartial(agreement.manifest);
  if (partial.setAside !== undefined) {
    resolved.onEvent({ event: "set-aside", path: partial.setAside });
  }
  const got = await fill({ request, world, resolved, agreed, list, partial });
  resolved.signal.throwIfAborted();
  const path = await partial.publish();
  const { name } = request;
  const { digest, size } = agreement.manifest;
  const seconds = (clock.now() - startedAt) / 1000;
  const receipt = { name, path, digest, size, seconds, ...got };
  resolved.onEvent({ event: "receipt", ...receipt });
  return receipt;
}
