/** Reads what a client asked for: numbers and digests, checked before they are used. */

import { limits } from "../limits.js";
import { ReplicaFault } from "../ports.js";
import { type Digest, parseDigest } from "../trust/digest.js";

/**
 * A place in a file, a length or a count, as a number that is safe. Throws a `short` ReplicaFault
 * beyond what any file has, whatever it was meant to be.
 */
export function offsetOf(value: bigint): number {
  if (value <= BigInt(limits.fileBytes)) return Number(value);
  throw new ReplicaFault({ kind: "short", detail: `${value} is beyond any file` });
}

/** The digest that a file must have by an `if_digest`; `undefined` where none is asked for. */
export function ifDigestOf(text: string): Digest | undefined {
  if (text === "") return undefined;
  const digest = parseDigest(text);
  if (digest !== undefined) return digest;
  throw new ReplicaFault({
    kind: "incompatible",
    detail: "if_digest is not sha256:<64 hexadecimal digits>",
  });
}
