/** A replica of files in memory: the port without a disk and without a wire. */

import { type Chunk, type Replica, ReplicaFault } from "../../src/ports.js";
import { digestBytes } from "../../src/trust/digest.js";
import type { FileManifest } from "../../src/trust/manifest.js";
import { ManifestBuilder } from "../../src/trust/manifest-builder.js";
import { nameProblem } from "../../src/trust/name.js";

/** Files by name. */
export type Files = Readonly<Record<string, Uint8Array>>;

/** The manifest of bytes in memory; their pieces are the protocol's unless said otherwise. */
export function manifestOfBytes(bytes: Uint8Array, pieceBytes?: number): FileManifest {
  const builder = new ManifestBuilder(bytes.length, pieceBytes);
  builder.add(bytes);
  return builder.finish();
}

/** A replica of these files, in chunks of `chunkBytes`. */
export function memoryReplica(files: Files, chunkBytes = 64 * 1024): Replica {
  const manifests = new Map(
    Object.entries(files).map(([name, bytes]) => [name, manifestOfBytes(bytes)]),
  );
  function find(asked: string): { name: string; bytes: Uint8Array; manifest: FileManifest } {
    const names = Object.keys(files);
    const only = names.length === 1 ? names[0] : undefined;
    const name = asked === "" ? only : asked;
    if (name === undefined) throw fault("incompatible", "name the file");
    const problem = nameProblem(name);
    if (problem !== undefined) throw fault("incompatible", problem);
    const bytes = files[name];
    const manifest = manifests.get(name);
    if (bytes === undefined || manifest === undefined) throw new ReplicaFault({ kind: "missing" });
    return { name, bytes, manifest };
  }
  async function* read(
    { name, range, ifDigest }: Parameters<Replica["read"]>[0],
    { signal }: Parameters<Replica["read"]>[1],
  ): AsyncGenerator<Chunk> {
    signal.throwIfAborted();
    const { bytes, manifest } = find(name);
    if (ifDigest !== undefined && ifDigest !== manifest.digest) throw fault("changed", "other");
    if (range.end > bytes.length || range.start > bytes.length) throw fault("short", "beyond");
    for (let offset = range.start; offset < range.end; offset += chunkBytes) {
      await new Promise((resolve) => setImmediate(resolve));
      signal.throwIfAborted();
      yield { offset, bytes: bytes.subarray(offset, Math.min(offset + chunkBytes, range.end)) };
    }
  }
  return {
    async claim(asked, { signal }) {
      signal.throwIfAborted();
      const { name, manifest } = find(asked);
      const { size, digest, root, prefixRoot } = manifest;
      return { name, claim: { size, digest, root, prefixRoot }, version: digest };
    },
    async size(asked, { signal }) {
      signal.throwIfAborted();
      const { name, bytes } = find(asked);
      return { name, size: bytes.length };
    },
    read,
    async pieces({ name, first, count, ifDigest, withPrefixes }, { signal }) {
      signal.throwIfAborted();
      const { manifest } = find(name);
      if (ifDigest !== undefined && ifDigest !== manifest.digest) throw fault("changed", "other");
      if (first > manifest.pieceCount || count > manifest.pieceCount - first) {
        throw fault("short", "beyond");
      }
      const [start, end] = [first * digestBytes, (first + count) * digestBytes];
      const digests = manifest.pieces.subarray(start, end);
      return withPrefixes
        ? { digests, prefixes: manifest.prefixes.subarray(start, end) }
        : { digests };
    },
    async list({ pageSize, pageToken, prefix }, { signal }) {
      signal.throwIfAborted();
      const wanted = Object.keys(files)
        .filter((name) => name.startsWith(prefix) && name > pageToken)
        .sort();
      const names = wanted.slice(0, pageSize > 0 ? pageSize : wanted.length);
      const page = names.map((name) => ({ name, size: files[name]?.length ?? 0 }));
      return {
        files: page,
        nextPageToken: names.length < wanted.length ? (names.at(-1) ?? "") : "",
      };
    },
  };
}

function fault(kind: "incompatible" | "changed" | "short", detail: string): ReplicaFault {
  return new ReplicaFault({ kind, detail });
}
