/**
 * One attempt, under one agreement: the piece list, the partial, the bytes, and the file in its
 * place. What it may end with, other than that or an error, is an outcome; who asks again is the
 * download.
 */

import { UsageError } from "../errors.js";
import type { Agreed } from "./agree.js";
import { fill } from "./fill.js";
import type { ResolvedOptions } from "./options.js";
import type { Outcome } from "./outcome.js";
import { fetchPieceList } from "./piece-list.js";
import type { DownloadRequest, DownloadWorld } from "./request.js";

/** What is attempted, and with what. */
export interface Attempt {
  readonly request: DownloadRequest;
  readonly world: DownloadWorld;
  readonly resolved: ResolvedOptions;
  readonly agreed: Agreed;
}

/** Gets what was agreed on. Throws what ends the download. */
export async function attempt(trying: Attempt): Promise<Outcome> {
  const { request, world, resolved, agreed } = trying;
  const { clock } = world;
  const { manifest } = agreed.agreement;
  const { signal, onEvent, maxBytes } = resolved;
  if (manifest.size > maxBytes) {
    const facts = `${manifest.size} bytes are more than the ${maxBytes} that may be fetched`;
    throw new UsageError(`get ${request.name}: too large: ${facts}`);
  }
  const list = await fetchPieceList(agreed.agreement, { ...request, clock, signal });
  for (const { replica, fault } of list.faults) onEvent({ event: "fault", replica, fault });
  await using partial = await world.openPartial(manifest);
  if (partial.setAside !== undefined) onEvent({ event: "set-aside", path: partial.setAside });
  const filled = await fill({ ...trying, list, partial });
  signal.throwIfAborted();
  const path = await partial.publish();
  const { digest, size } = manifest;
  return { kind: "done", got: { path, digest, size, ...filled } };
}
