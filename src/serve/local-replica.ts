/** A replica of the files on this machine: what a virtual server answers, before any wire. */

import { limits } from "../limits.js";
import {
  type Call,
  type Chunk,
  type FileEntry,
  type FilePage,
  type ListedPieces,
  type ListRequest,
  type NamedClaim,
  type PiecesRequest,
  type ReadRequest,
  type Replica,
  ReplicaFault,
  type Room,
} from "../ports.js";
import type { SharedFiles } from "../server-ports.js";
import { digestBytes } from "../trust/digest.js";
import { nameProblem } from "../trust/name.js";
import type { KnownFile, Manifests } from "./manifests.js";

export class LocalReplica implements Replica {
  readonly #files: SharedFiles;
  readonly #manifests: Manifests;
  readonly #chunkBytes: number;

  /** `chunkBytes`: bytes in the largest chunk; 512 KiB by default. */
  constructor(files: SharedFiles, manifests: Manifests, chunkBytes: number = limits.chunkBytes) {
    this.#files = files;
    this.#manifests = manifests;
    this.#chunkBytes = chunkBytes;
  }

  async claim(asked: string, _call: Call): Promise<NamedClaim> {
    const name = await this.#resolve(asked);
    const { version, manifest } = await this.#known(name);
    const { size, digest, root, prefixRoot } = manifest;
    return { name, claim: { size, digest, root, prefixRoot }, version };
  }

  async size(asked: string, _call: Call): Promise<FileEntry> {
    const name = await this.#resolve(asked);
    const file = await this.#files.open(name);
    await file.close();
    return { name, size: file.version.size };
  }

  async *read(request: ReadRequest, { signal }: Call): AsyncGenerator<Chunk> {
    const name = await this.#resolve(request.name);
    const { start, end } = request.range;
    const known = request.ifDigest === undefined ? undefined : await this.#known(name);
    if (known !== undefined && known.manifest.digest !== request.ifDigest) throw changed(name);
    const file = await this.#files.open(name);
    try {
      const { size, key } = file.version;
      if (known !== undefined && known.version !== key) throw changed(name);
      if (start > size || end > size) {
        const detail = `bytes ${start}–${end} do not lie within the ${size} of the file`;
        throw new ReplicaFault({ kind: "short", detail });
      }
      const room = request.room ?? growingRoom(this.#chunkBytes);
      for (let offset = start; offset < end; ) {
        signal.throwIfAborted();
        const bytes = room(offset, end - offset);
        const length = await file.read(offset, bytes);
        if (length < bytes.length || (await file.hasChanged())) throw changed(name);
        yield { offset, bytes };
        offset += length;
      }
    } finally {
      await file.close();
    }
  }

  async pieces(request: PiecesRequest, _call: Call): Promise<ListedPieces> {
    const name = await this.#resolve(request.name);
    const { pieces, prefixes, digest, pieceCount } = (await this.#known(name)).manifest;
    if (request.ifDigest !== undefined && request.ifDigest !== digest) throw changed(name);
    const { first, count } = request;
    if (first > pieceCount || count > pieceCount - first) {
      const detail = `pieces ${first}–${first + count} do not lie within the ${pieceCount} of the file`;
      throw new ReplicaFault({ kind: "short", detail });
    }
    const [start, end] = [first * digestBytes, (first + count) * digestBytes];
    const digests = pieces.subarray(start, end);
    return request.withPrefixes
      ? { digests, prefixes: prefixes.subarray(start, end) }
      : { digests };
  }

  list(request: ListRequest, { signal }: Call): Promise<FilePage> {
    return this.#files.list(request, signal);
  }

  async #resolve(asked: string): Promise<string> {
    if (asked === "") {
      const only = await this.#files.onlyName();
      if (only !== undefined) return only;
      throw incompatible("name the file: this replica serves several");
    }
    const problem = nameProblem(asked);
    if (problem !== undefined) throw incompatible(`the name ${problem}`);
    return asked;
  }

  #known(name: string): Promise<KnownFile> {
    return this.#manifests.of(name, () => this.#files.open(name));
  }
}

/** New memory for each chunk; small at first, so that the first byte is not a whole chunk late. */
function growingRoom(chunkBytes: number): Room {
  let bytes = Math.min(limits.firstChunkBytes, chunkBytes);
  return (_, most) => {
    const room = Buffer.allocUnsafeSlow(Math.min(bytes, most));
    bytes = Math.min(2 * bytes, chunkBytes);
    return room;
  };
}

function changed(name: string): ReplicaFault {
  return new ReplicaFault({
    kind: "changed",
    detail: `${name} is not the file that was asked for`,
  });
}

function incompatible(detail: string): ReplicaFault {
  return new ReplicaFault({ kind: "incompatible", detail });
}
