/** The calls of `replica.proto` by path and fields; a test holds them to its descriptors. */

import type { Fields } from "./fields.js";

/** One call: where it goes, what it asks, and what each message of its answer holds. */
export interface WireCall {
  readonly path: `/quorate.v1.ReplicaService/${string}`;
  readonly request: Fields;
  readonly answer: Fields;
}

export const calls = {
  getChecksum: {
    path: "/quorate.v1.ReplicaService/GetChecksum",
    request: { name: [1, "string"] },
    answer: {
      name: [1, "string"],
      digest: [2, "string"],
      size: [3, "uint64"],
      pieceSize: [4, "uint64"],
      pieceRoot: [5, "string"],
      version: [6, "string"],
      prefixRoot: [7, "string"],
    },
  },
  getSize: {
    path: "/quorate.v1.ReplicaService/GetSize",
    request: { name: [1, "string"] },
    answer: { name: [1, "string"], size: [2, "uint64"] },
  },
  readRange: {
    path: "/quorate.v1.ReplicaService/ReadRange",
    request: {
      name: [1, "string"],
      offset: [2, "uint64"],
      length: [3, "uint64"],
      ifDigest: [4, "string"],
    },
    answer: { offset: [1, "uint64"], data: [2, "bytes"] },
  },
  listPieces: {
    path: "/quorate.v1.ReplicaService/ListPieces",
    request: {
      name: [1, "string"],
      first: [2, "uint64"],
      count: [3, "uint64"],
      ifDigest: [4, "string"],
      withPrefixes: [5, "bool"],
    },
    answer: { first: [1, "uint64"], digests: [2, "bytes"], prefixes: [3, "bytes"] },
  },
  listFiles: {
    path: "/quorate.v1.ReplicaService/ListFiles",
    request: { pageSize: [1, "uint32"], pageToken: [2, "string"], prefix: [3, "string"] },
    answer: {
      files: [1, [{ name: [1, "string"], size: [2, "uint64"] }]],
      nextPageToken: [2, "string"],
    },
  },
} as const satisfies Readonly<Record<string, WireCall>>;
