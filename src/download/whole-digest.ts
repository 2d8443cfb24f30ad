/** The digest of what is on the disk, read back: the last check before a file is published. */

import type { PrefixDigest } from "../hash-ports.js";
import type { Sink } from "../ports.js";
import type { Digest } from "../trust/digest.js";
import { digestHere } from "./digest-here.js";
import type { OnEvent } from "./progress.js";

interface Listening {
  readonly signal: AbortSignal;
  readonly onEvent: OnEvent;
}

/**
 * The digest of the sink's first `size` bytes: that of `prefix`, which followed the download, or
 * read anew. Throws the signal's reason when it is aborted.
 */
export async function wholeDigest(
  sink: Sink,
  size: number,
  listening: Listening & { readonly prefix?: PrefixDigest | undefined },
): Promise<Digest> {
  const { signal, onEvent, prefix } = listening;
  if (sink.handoff !== undefined) return sink.handoff.digest(signal);
  const onProgress = (doneBytes: number) =>
    onEvent({ event: "verifying", doneBytes, totalBytes: size });
  const request = { onProgress, signal };
  if (prefix !== undefined) {
    try {
      return await prefix.digest(request);
    } catch {
      // If the disk is at fault, reading anew says so.
      signal.throwIfAborted();
    }
  }
  await using anew = digestHere(sink, size);
  return await anew.digest(request);
}
