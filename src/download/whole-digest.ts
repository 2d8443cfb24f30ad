/** Reads back what is on the disk and says what it is: the last word before a file is published. */

import { limits } from "../limits.js";
import type { Sink } from "../ports.js";
import { type Digest, DigestBuilder } from "../trust/digest.js";
import type { OnEvent } from "./progress.js";

/** The digest of the sink's first `size` bytes. Throws the signal's reason when it is aborted. */
export async function wholeDigest(
  sink: Sink,
  size: number,
  { signal, onEvent }: { readonly signal: AbortSignal; readonly onEvent: OnEvent },
): Promise<Digest> {
  if (sink.handedOn !== undefined) return sink.handedOn.digest(signal);
  const digest = new DigestBuilder();
  const buffer = Buffer.allocUnsafeSlow(Math.max(1, Math.min(limits.hashReadBytes, size)));
  for (let offset = 0; offset < size; ) {
    signal.throwIfAborted();
    const wanted = buffer.subarray(0, Math.min(buffer.length, size - offset));
    const length = await sink.read(offset, wanted);
    // A file that ends early has another digest; the caller finds out by comparing.
    if (length === 0) break;
    digest.add(wanted.subarray(0, length));
    offset += length;
    onEvent({ event: "verifying", doneBytes: offset, totalBytes: size });
  }
  return digest.finish();
}
