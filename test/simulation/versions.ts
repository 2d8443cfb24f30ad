/**
 * The files that simulated replicas serve: the true one is version 0, and others go by the same
 * name. Contents are views of a few buffers and manifests are kept, because a world is to cost
 * milliseconds.
 */

import type { NamedClaim, Replica } from "../../src/ports.js";
import { ReplicaFault } from "../../src/ports.js";
import { digestBytes } from "../../src/trust/digest.js";
import type { FileManifest } from "../../src/trust/manifest.js";
import { madeUp } from "../support/made-up.js";
import { manifestOfBytes } from "../support/memory-replica.js";

/** A version of the file. */
export interface Version {
  readonly content: Uint8Array;
  readonly manifest: FileManifest;
}

export const name = "file.bin";
const largest = 4 * 1024 * 1024;
/** Bytes of a piece of each file here: the smallest that there is. */
export const pieceBytes = 64 * 1024;
const truth = madeUp(largest);
/** The next version of the true file: the same but for every third piece, as after an edit. */
const edited = Buffer.from(truth);
for (let at = 100; at < largest; at += 3 * pieceBytes) edited[at] = (edited[at] ?? 0) ^ 255;
const others = madeUp(largest + pieceBytes, 2);

/** Sizes that worlds draw from: the odd ones, and some between. */
export const oddSizes = [0, 1, pieceBytes - 1, pieceBytes, pieceBytes + 1, 2 * pieceBytes];
export const sizes = Array.from({ length: 24 }, (_, index) => 40_000 + index ** 2 * 7_919);
export const largestSize = largest;

const known = new Map<string, Version>();

/**
 * Version `index` of a file whose true size is `size`: 0 is the truth, 1 the truth after an edit,
 * all others have nothing in common with it; version 2 is longer, too.
 */
export function versionOf(index: number, size: number): Version {
  const key = `${index} of ${size}`;
  const before = known.get(key);
  if (before !== undefined) return before;
  const content = contentOf(index, size);
  const version = { content, manifest: manifestOfBytes(content) };
  known.set(key, version);
  return version;
}

function contentOf(index: number, size: number): Uint8Array {
  if (index === 0) return truth.subarray(0, size);
  // Of an empty file there is only one version of the same size.
  if (index === 1 && size > 100) return edited.subarray(0, size);
  const from = index * 13;
  return others.subarray(from, from + (index === 2 || size <= 100 ? size + 1_001 : size));
}

/** A replica of one version that answers at once: what it claims and lists; it reads nothing. */
export function answering({ manifest, content }: Version): Omit<Replica, "read"> {
  const { size, digest, root } = manifest;
  const claim: NamedClaim = { name, claim: { size, digest, root }, version: digest };
  return {
    async claim(_, { signal }) {
      signal.throwIfAborted();
      return claim;
    },
    async size(_, { signal }) {
      signal.throwIfAborted();
      return { name, size: content.length };
    },
    async pieces({ first, count }, { signal }) {
      signal.throwIfAborted();
      if (first + count > manifest.pieceCount)
        throw new ReplicaFault({ kind: "short", detail: "" });
      const [start, end] = [first * digestBytes, (first + count) * digestBytes];
      return { digests: manifest.pieces.subarray(start, end) };
    },
    async list(_, { signal }) {
      signal.throwIfAborted();
      return { files: [{ name, size }], nextPageToken: "" };
    },
  };
}
