/** Reads back what is on the disk and says what it is: the last word before a file is published. */

import { limits } from "../limits.js";
import type { PrefixDigest, Sink } from "../ports.js";
import { type Digest, DigestBuilder } from "../trust/digest.js";
import type { OnEvent } from "./progress.js";

interface Listening {
  readonly signal: AbortSignal;
  readonly onEvent: OnEvent;
}

/**
 * The digest of the sink's first `size` bytes, by what was read while they came, if anything was.
 * Throws the signal's reason when it is aborted.
 */
export async function wholeDigest(
  sink: Sink,
  size: number,
  listening: Listening & { readonly prefix?: PrefixDigest | undefined },
): Promise<Digest> {
  const { signal, onEvent, prefix } = listening;
  if (sink.handedOn !== undefined) return sink.handedOn.digest(signal);
  if (prefix !== undefined) {
    const onProgress = (doneBytes: number) =>
      onEvent({ event: "verifying", doneBytes, totalBytes: size });
    try {
      return await prefix.digest({ onProgress, signal });
    } catch {
      // Whatever ailed the thread: who reads here says what is wrong with the disk, if that is it.
      signal.throwIfAborted();
    }
  }
  return digestHere(sink, size, listening);
}

async function digestHere(
  sink: Sink,
  size: number,
  { signal, onEvent }: Listening,
): Promise<Digest> {
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
