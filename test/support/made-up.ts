/** Bytes that look random, are the same in every run, and differ between sizes and seeds. */

import { createCipheriv } from "node:crypto";

/** `size` made-up bytes. */
export function madeUp(size: number, seed = 1): Buffer {
  const key = Buffer.alloc(16, seed);
  const nonce = Buffer.alloc(16);
  nonce.writeUInt32LE(size);
  return createCipheriv("aes-128-ctr", key, nonce).update(Buffer.alloc(size));
}
