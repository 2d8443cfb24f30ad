/** The thread that `hash-file.ts` starts: reads a descriptor of the process, reports, and ends. */

import { readSync } from "node:fs";
import { limits } from "../limits.js";
import type { FileManifest } from "../trust/manifest.js";
import { ManifestBuilder } from "../trust/manifest-builder.js";
import { answerOrder, type OnProgress } from "./answer-order.js";

/** What the thread is to hash. */
export interface HashOrder {
  readonly fd: number;
  readonly size: number;
  readonly pieceBytes: number | undefined;
}

function hash({ fd, size, pieceBytes }: HashOrder, onProgress: OnProgress): FileManifest {
  const builder = new ManifestBuilder(size, pieceBytes);
  const buffer = Buffer.allocUnsafeSlow(limits.hashReadBytes);
  for (let offset = 0; offset < size; ) {
    const wanted = Math.min(buffer.length, size - offset);
    const length = readSync(fd, buffer, 0, wanted, offset);
    if (length === 0) throw new Error(`the file ended at byte ${offset} of ${size}`);
    builder.add(buffer.subarray(0, length));
    offset += length;
    onProgress(offset);
  }
  return builder.finish();
}

answerOrder(hash);
