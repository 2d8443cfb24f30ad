/** Tells in words whether a certificate and its key can be used, before a connection tries it. */

import type { SecureContextOptions } from "node:tls";
import { messageOf } from "../errors.js";

const words: readonly (readonly [found: RegExp, text: string])[] = [
  [/key values mismatch/, "the key is another certificate's"],
  [/no start line/, "they are not a certificate and a key in PEM"],
  [/bad decrypt|interrupted or cancelled|bad password/, "the key needs a passphrase: take it off"],
];

/** Throws an error that says in a few words why they cannot be used. */
export function checkPair(pair: SecureContextOptions): void {
  // Loading it takes 4 ms, which plain text does not need.
  const { createSecureContext } = process.getBuiltinModule("node:tls");
  try {
    createSecureContext(pair);
  } catch (error) {
    const said = messageOf(error);
    const why = words.find(([found]) => found.test(said))?.[1] ?? said;
    throw new Error(`certificate and key cannot be used: ${why}`, { cause: error });
  }
}
