/** The thread that `prefix-digest.ts` starts: reads what is in place, waits for more, and ends. */

import { readSync } from "node:fs";
import { limits } from "../limits.js";
import { type Digest, DigestBuilder } from "../trust/digest.js";
import { answerOrder, type OnProgress } from "./answer-order.js";

/** What the thread is to digest. */
export interface PrefixOrder {
  readonly fd: number;
  readonly size: number;
  /** One number, in memory that both threads share: bytes from the beginning that are in place. */
  readonly reached: BigInt64Array;
}

function follow({ fd, size, reached }: PrefixOrder, onProgress: OnProgress): Digest {
  const digest = new DigestBuilder();
  const buffer = Buffer.allocUnsafeSlow(limits.hashReadBytes);
  for (let offset = 0; offset < size; ) {
    const inPlace = Number(Atomics.load(reached, 0));
    if (inPlace <= offset) {
      Atomics.wait(reached, 0, BigInt(inPlace));
      continue;
    }
    const wanted = Math.min(buffer.length, inPlace - offset);
    const length = readSync(fd, buffer, 0, wanted, offset);
    if (length === 0) throw new Error(`the file ended at byte ${offset} of ${size}`);
    digest.add(buffer.subarray(0, length));
    offset += length;
    onProgress(offset);
  }
  return digest.finish();
}

answerOrder(follow);
