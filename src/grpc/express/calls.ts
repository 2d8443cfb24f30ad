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
    request: { name: [1, "text"] },
    answer: {
      name: [1, "text"],
      digest: [2, "text"],
      size: [3, "whole"],
      pieceSize: [4, "whole"],
      pieceRoot: [5, "text"],
      version: [6, "text"],
    },
  },
  getSize: {
    path: "/quorate.v1.ReplicaService/GetSize",
    request: { name: [1, "text"] },
    answer: { name: [1, "text"], size: [2, "whole"] },
  },
  readRange: {
    path: "/quorate.v1.ReplicaService/ReadRange",
    request: {
      name: [1, "text"],
      offset: [2, "whole"],
      length: [3, "whole"],
      ifDigest: [4, "text"],
    },
    answer: { offset: [1, "whole"], data: [2, "bytes"] },
  },
  listPieces: {
    path: "/quorate.v1.ReplicaService/ListPieces",
    request: { name: [1, "text"], first: [2, "whole"], count: [3, "whole"], ifDigest: [4, "text"] },
    answer: { first: [1, "whole"], digests: [2, "bytes"] },
  },
  listFiles: {
    path: "/quorate.v1.ReplicaService/ListFiles",
    request: { pageSize: [1, "count"], pageToken: [2, "text"], prefix: [3, "text"] },
    answer: {
      files: [1, [{ name: [1, "text"], size: [2, "whole"] }]],
      nextPageToken: [2, "text"],
    },
  },
} as const satisfies Readonly<Record<string, WireCall>>;
