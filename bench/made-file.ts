/** Makes the files that benches serve. */

import { createHash, randomBytes } from "node:crypto";
import { closeSync, ftruncateSync, openSync, writeSync } from "node:fs";
import { MiB } from "../src/limits/byte-units.js";

/** Random bytes; gives their digest. */
export function makeFile(path: string, size: number): string {
  const hash = createHash("sha256");
  const descriptor = openSync(path, "w");
  for (let left = size; left > 0; ) {
    const bytes = randomBytes(Math.min(MiB, left));
    writeSync(descriptor, bytes);
    hash.update(bytes);
    left -= bytes.length;
  }
  closeSync(descriptor);
  return `sha256:${hash.digest("hex")}`;
}

/** Zeros that take no space: what they cost to read, send, hash and write is what any bytes cost. */
export function makeSparseFile(path: string, size: number): void {
  const descriptor = openSync(path, "w");
  ftruncateSync(descriptor, size);
  closeSync(descriptor);
}
