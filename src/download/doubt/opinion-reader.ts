/**
 * Reads pieces from one replica again, for another opinion: in order, one stream at a time, with
 * nothing written. Who breaks off or stalls is left out.
 */

import { limits } from "../../limits.js";
import { type Clock, type Replica, ReplicaFault } from "../../ports.js";
import { clampedRetryMs } from "../../schedule/backoff.js";
import { consequenceOf, type Fault } from "../../schedule/faults.js";
import { bytesOf, type Layout } from "../../schedule/pieces.js";
import { type Range, RangeSet } from "../../schedule/range.js";
import type { TokenBucket } from "../../schedule/token-bucket.js";
import type { Digest } from "../../trust/digest.js";
import { PieceGatherer } from "../piece-gatherer.js";
import { checkChunk } from "../read-lease.js";

/** What pieces are read with. */
export interface OpinionReading {
  readonly name: string;
  readonly fileDigest: Digest;
  readonly replica: Replica;
  readonly layout: Layout;
  readonly clock: Clock;
  /** Nothing is asked before: the replica may have wanted patience. */
  readonly notBefore: number;
  readonly bucket: TokenBucket | undefined;
  readonly signal: AbortSignal;
  /** A piece came; its content is valid until this resolves. */
  readonly onPiece: (piece: number, content: Uint8Array) => Promise<void>;
}

/** Reads these pieces; gives the fault that ended it, or `undefined` when all came. */
export async function readAgain(
  pieces: readonly number[],
  reading: OpinionReading,
): Promise<Fault | undefined> {
  const { clock, notBefore, signal } = reading;
  const waitMs = notBefore - clock.now();
  if (waitMs > 0 && waitMs <= limits.retryMaxMs) await clock.sleep(waitMs, signal);
  for (const range of RangeSet.ofEach(pieces).ranges) {
    let next = range.start;
    const onPiece: OpinionReading["onPiece"] = async (piece, content) => {
      await reading.onPiece(piece, content);
      next = piece + 1;
    };
    for (let tries = 1; next < range.end; tries++) {
      const from = next;
      const fault = await readRange({ start: next, end: range.end }, { ...reading, onPiece });
      if (fault === undefined) continue;
      if (next > from) tries = 1;
      if (fault.kind === "changed" || tries >= limits.opinionTries) return fault;
      await clock.sleep(pauseMsAfter(fault), signal);
    }
  }
  return undefined;
}

function pauseMsAfter(fault: Fault): number {
  const consequence = consequenceOf(fault);
  return consequence.kind === "wait" ? clampedRetryMs(consequence.retryMs) : limits.retryMinMs;
}

async function readRange(pieces: Range, reading: OpinionReading): Promise<Fault | undefined> {
  const { name, fileDigest, replica, layout, clock, bucket, signal, onPiece } = reading;
  const range = bytesOf(layout, pieces);
  const gatherer = new PieceGatherer(layout, pieces.start);
  const stall = new AbortController();
  const either = AbortSignal.any([signal, stall.signal]);
  const over = new AbortController();
  let heardAt = clock.now();
  void watch(clock, over.signal, () => {
    if (clock.now() - heardAt >= limits.lonelyMs) stall.abort();
  });
  let offset = range.start;
  try {
    const request = { name, range, ifDigest: fileDigest };
    for await (const chunk of replica.read(request, {
      signal: either,
      deadlineMs: limits.leaseMs,
    })) {
      either.throwIfAborted();
      checkChunk(chunk, offset, range.end);
      offset += chunk.bytes.length;
      if (chunk.bytes.length > 0) heardAt = clock.now();
      const holdMs = bucket?.take(chunk.bytes.length, clock.now()) ?? 0;
      if (holdMs > 0) await clock.sleep(holdMs, either);
      for (const { piece, content } of gatherer.add(chunk.bytes)) await onPiece(piece, content);
      if (offset === range.end) return undefined;
    }
    return { kind: "short", detail: `the stream ended at byte ${offset} of ${range.end}` };
  } catch (error) {
    signal.throwIfAborted();
    if (stall.signal.aborted) return { kind: "late", clock: "idle", waitedMs: limits.lonelyMs };
    if (error instanceof ReplicaFault) return error.fault;
    throw error;
  } finally {
    over.abort();
  }
}

/** Looks again and again until it is over. */
async function watch(clock: Clock, over: AbortSignal, look: () => void): Promise<void> {
  while (!over.aborted) {
    // The end of the read ends the wait, which says so by rejecting.
    await clock.sleep(limits.watchMs, over).catch(() => {});
    look();
  }
}
