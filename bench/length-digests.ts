/**
 * Makes SHA-256 tell lengths only. Hashing is most of what a simulated download costs, and a
 * simulated file holds nothing but zeros: pieces of one length have one digest anyway.
 */

import crypto from "node:crypto";
import { syncBuiltinESMExports } from "node:module";

class LengthHash {
  length = 0;
  first: number | undefined;

  update(bytes: Uint8Array): this {
    this.first ??= bytes[0];
    this.length += bytes.length;
    return this;
  }

  copy(): LengthHash {
    return Object.assign(new LengthHash(), this);
  }

  digest(): Buffer {
    const digest = Buffer.alloc(32, this.first ?? 0);
    digest.writeDoubleBE(this.length);
    return digest;
  }
}

/** From here on, in this process, nothing is proved by a digest any more. */
export function digestLengthsOnly(): void {
  Object.assign(crypto, { createHash: () => new LengthHash() });
  syncBuiltinESMExports();
}
