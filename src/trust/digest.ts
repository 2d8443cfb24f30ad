/**
 * Decides what a digest is, and how it is written: SHA-256, as `sha256:` and 64 hexadecimal digits.
 */

import { createHash, type Hash } from "node:crypto";

declare const digestBrand: unique symbol;

/**
 * A SHA-256 as `sha256:<64 lower-case hexadecimal digits>`. Made by `parseDigest` or `digestOf`
 * only.
 */
export type Digest = string & { readonly [digestBrand]: true };

/** Bytes in a raw SHA-256. */
export const digestBytes = 32;

/**
 * Reads a digest; `undefined` unless it is exactly `sha256:` and 64 hexadecimal digits (any case).
 */
export function parseDigest(text: string): Digest | undefined {
  return /^sha256:[0-9a-f]{64}$/i.test(text) ? (text.toLowerCase() as Digest) : undefined;
}

/** Writes 32 raw bytes as a digest. */
export function digestFromRaw(raw: Uint8Array): Digest {
  return `sha256:${Buffer.from(raw.buffer, raw.byteOffset, raw.byteLength).toString("hex")}` as Digest;
}

/** The 32 raw bytes of a digest. */
export function rawOf(digest: Digest): Uint8Array {
  return Buffer.from(digest.slice("sha256:".length), "hex");
}

/** The digest of bytes that are all in memory. */
export function digestOf(bytes: Uint8Array): Digest {
  return digestFromRaw(createHash("sha256").update(bytes).digest());
}

/** Takes the bytes of a file in order and gives its digest at the end. */
export class DigestBuilder {
  readonly #hash: Hash;

  constructor(hash: Hash = createHash("sha256")) {
    this.#hash = hash;
  }

  /** Adds the next bytes. */
  add(bytes: Uint8Array): void {
    this.#hash.update(bytes);
  }
  /** The digest of everything added until now, as 32 raw bytes; more may be added. */
  soFar(): Uint8Array {
    return this.#hash.copy().digest();
  }
  /** Another one, to which the same was added. */
  copy(): DigestBuilder {
    return new DigestBuilder(this.#hash.copy());
  }
  /** The digest of everything added. Call once, last. */
  finish(): Digest {
    return digestFromRaw(this.#hash.digest());
  }
}

/** A digest short enough for a table: its first 12 hexadecimal digits. */
export function shortDigest(digest: string): string {
  return digest.replace(/^sha256:/, "").slice(0, 12);
}
