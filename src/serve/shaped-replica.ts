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
  const step = chunkBytesFor(options.rateBytesPerSecond);
  return {
    claim: (name, call) => replica.claim(name, call),
    size: (name, call) => replica.size(name, call),
    pieces: (request, call) => replica.pieces(request, call),
    list: (request, call) => replica.list(request, call),
    async *read(request, call) {
      for await (const { offset, bytes } of replica.read(request, call)) {
        for (let from = 0; from < bytes.length; from += step) {
          const part = bytes.subarray(from, from + step);
          const waitMs = bucket.take(part.length, clock.now());
          if (waitMs > 0) await clock.sleep(waitMs, call.signal);
          yield { offset: offset + from, bytes: part };
        }
      }
    },
  };
}

/**
 * Bytes in a chunk under a rate: small enough that chunks keep coming, so that no clock takes it
 * for a stall.
 */
export function chunkBytesFor(rateBytesPerSecond: number): number {
  const even = Math.floor(rateBytesPerSecond / limits.chunksPerSecond);
  return Math.min(limits.chunkBytes, Math.max(limits.chunkFloorBytes, even));
}
