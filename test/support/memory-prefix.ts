/** A prefix digest in memory: it reads each stretch as soon as it is told of it, and no sooner. */

import type { PrefixDigest } from "../../src/hash-ports.js";
import type { PartialOutput } from "../../src/ports.js";
import { DigestBuilder } from "../../src/trust/digest.js";

/** What it was told, in that order; and whether it was let go. */
export interface Told {
  readonly reached: number[];
  isDisposed: boolean;
}

/** The partial, which digests as it is filled. `failing`: what asking for the digest ends with. */
export function withPrefixDigest(
  partial: PartialOutput,
  told: Told,
  bytesOf: () => Uint8Array,
  failing?: Error,
): PartialOutput {
  const startDigest = (): PrefixDigest => {
    const builder = new DigestBuilder();
    let done = 0;
    return {
      reached(bytes) {
        told.reached.push(bytes);
        builder.add(bytesOf().subarray(done, bytes));
        done = bytes;
      },
      async digest({ onProgress, signal }) {
        signal.throwIfAborted();
        if (failing !== undefined) throw failing;
        onProgress(done);
        return builder.finish();
      },
      async [Symbol.asyncDispose]() {
        told.isDisposed = true;
      },
    };
  };
  return { ...partial, startDigest };
}
