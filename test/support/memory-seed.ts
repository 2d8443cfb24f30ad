/** An old copy in memory; what it was asked for can be counted, and made to fail. */

import type { Seed } from "../../src/ports.js";

/** A seed of these bytes. `before` hears the offset of each read; what it throws makes it fail. */
export function memorySeed(
  bytes: Uint8Array,
  path = "old",
  before: (offset: number) => void = () => {},
): Seed {
  return {
    path,
    size: bytes.length,
    async read(offset, buffer) {
      before(offset);
      const there = bytes.subarray(offset, offset + buffer.length);
      buffer.set(there);
      return there.length;
    },
  };
}
