/** Keeps a virtual server within a rate, over all its reads together. */

import { limits } from "../limits.js";
import type { Clock, Replica } from "../ports.js";
import { TokenBucket } from "../schedule/token-bucket.js";

/** A replica that does what `replica` does, at no more than `rateBytesPerSecond`. */
export function shapedReplica(
  replica: Replica,
  options: { readonly rateBytesPerSecond: number; readonly clock: Clock },
): Replica {
  const { clock } = options;
  const bucket = new TokenBucket(options.rateBytesPerSecond);
  return {
    claim: (name, call) => replica.claim(name, call),
    size: (name, call) => replica.size(name, call),
    pieces: (request, call) => replica.pieces(request, call),
    list: (request, call) => replica.list(request, call),
    async *read(request, call) {
      for await (const chunk of replica.read(request, call)) {
        const waitMs = bucket.take(chunk.bytes.length, clock.now());
        if (waitMs > 0) await clock.sleep(waitMs, call.signal);
        yield chunk;
      }
    },
  };
}

/**
 * Bytes in a chunk under a rate: small enough that chunks keep coming, so that no clock takes it
 * for a stall.
 */
export function chunkBytesFor(rateBytesPerSecond: number | undefined): number {
  if (rateBytesPerSecond === undefined) return limits.chunkBytes;
  const even = Math.floor(rateBytesPerSecond / limits.chunksPerSecond);
  return Math.min(limits.chunkBytes, Math.max(limits.chunkFloorBytes, even));
}
