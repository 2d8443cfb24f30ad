/**
 * What the use cases need from the world. Replica, Sink and Journal have a contract suite each in
 * `test/contracts/`, which every implementation passes. A replica's failure is a `ReplicaFault`; a
 * disk's a `StorageError`.
 */

import type { PiecesToHash, PrefixDigest } from "./hash-ports.js";
import type { Fault } from "./schedule/faults.js";
import type { PieceIndex } from "./schedule/pieces.js";
import type { Range } from "./schedule/range.js";
import type { Digest } from "./trust/digest.js";
import type { Claim } from "./trust/manifest.js";
import type { PieceDigests } from "./trust/merkle.js";

/** Milliseconds that only ever grow. */
export interface Clock {
  now(): number;
  /** Rejects with the signal's reason when it is aborted first. */
  sleep(ms: number, signal?: AbortSignal): Promise<void>;
}

/** Uniform in [0, 1). */
export type Random = () => number;

/** Throws a fault out of a call to a replica; whoever catches it goes on with `fault`. */
export class ReplicaFault extends Error {
  override readonly name = "ReplicaFault";
  readonly fault: Fault;
  constructor(fault: Fault, options?: ErrorOptions) {
    super(fault.kind, options);
    this.fault = fault;
  }
}

/** How long a call may take, and what ends it early. */
export interface Call {
  /** Rejects with the signal's reason, never with a fault, when it is aborted. */
  readonly signal: AbortSignal;
  /** Milliseconds for the whole call, told to the replica too. */
  readonly deadlineMs: number;
  /** For a read: which of the connections to the replica it takes. Default: 0, the first. */
  readonly lane?: number | undefined;
  /** The client's network address, to count by; `undefined` within a process. */
  readonly client?: string | undefined;
}

/** A replica's claim, with the name that it answered for. */
export interface NamedClaim {
  readonly name: string;
  readonly claim: Claim;
  /** Opaque; changes when the file does. */
  readonly version: string;
}

/** Asks for bytes of a file. */
export interface ReadRequest {
  readonly name: string;
  /** Bytes; empty ranges give no chunk. */
  readonly range: Range;
  /** The digest that the file must have; `undefined` takes whatever is there. */
  readonly ifDigest: Digest | undefined;
  /**
   * Whether it is asked before anybody knows what the file is: then nobody looks into why it ends
   * early. Default: no.
   */
  readonly isEarly?: boolean | undefined;
  /**
   * Memory for the chunk at an offset, of 1 to `most` bytes: a replica on this machine fills it, so
   * that the bytes need not be copied again. It may be the same memory for every chunk.
   */
  readonly room?: Room | undefined;
  /** Told of bytes that came and are handed to nobody, since the reader left. Now and later. */
  readonly onLost?: ((bytes: number) => void) | undefined;
}

export type Room = (offset: number, most: number) => Uint8Array;

/** Some bytes of a range. The bytes are the receiver's until it asks for the next chunk. */
export interface Chunk {
  readonly offset: number;
  readonly bytes: Uint8Array;
}

/** Asks for a page of the list of files. */
export interface ListRequest {
  readonly pageSize: number;
  readonly pageToken: string;
  readonly prefix: string;
}

/** A file that a replica serves. */
export interface FileEntry {
  readonly name: string;
  readonly size: number;
}

/** A page of the list; `nextPageToken` is empty on the last one. */
export interface FilePage {
  readonly files: readonly FileEntry[];
  readonly nextPageToken: string;
}

/**
 * A server that says it holds the file. An empty name means the one file that it serves. The
 * server's own side and the client's side of the wire both implement this.
 */
export interface Replica {
  claim(name: string, call: Call): Promise<NamedClaim>;
  /** The file's name and its size in bytes, without waiting for its digest. */
  size(name: string, call: Call): Promise<FileEntry>;
  /** A range, in order. From a remote replica it may be too much or too little: count. */
  read(request: ReadRequest, call: Call): AsyncIterable<Chunk>;
  /** The digests that pieces should have, unverified: as many as asked for; prefixes, or none. */
  pieces(request: PiecesRequest, call: Call): Promise<ListedPieces>;
  list(request: ListRequest, call: Call): Promise<FilePage>;
}

/** A replica that does what `replica` does; a decorator replaces what it changes. */
export function sameReplica(replica: Replica): Replica {
  return {
    claim: (name, call) => replica.claim(name, call),
    size: (name, call) => replica.size(name, call),
    pieces: (request, call) => replica.pieces(request, call),
    list: (request, call) => replica.list(request, call),
    read: (request, call) => replica.read(request, call),
  };
}

/** Asks for the digests of pieces `[first, first + count)`. */
export interface PiecesRequest {
  readonly name: string;
  readonly first: number;
  readonly count: number;
  readonly ifDigest: Digest | undefined;
  /** Whether prefixes are wanted as well; by default they are not. */
  readonly withPrefixes?: boolean | undefined;
}

/** What a replica says pieces are. */
export interface ListedPieces {
  readonly digests: PieceDigests;
  /** The digests of the file from its beginning to the end of each, where they were wanted. */
  readonly prefixes?: PieceDigests | undefined;
}

/** Where verified bytes go. Failures are StorageErrors. */
export interface Sink {
  write(offset: number, bytes: Uint8Array): Promise<void>;
  /** Fills the buffer from `offset`; gives fewer bytes only at the end of what is there. */
  read(offset: number, buffer: Uint8Array): Promise<number>;
  /**
   * Everything written so far survives a power cut once this resolves. Never called again after it
   * failed.
   */
  sync(): Promise<void>;
  /** Where bytes are handed to a reader in order, and cannot be read back. Files have none. */
  readonly handoff?: Handoff | undefined;
}

/** How far the reader of a file that is handed over in order has taken it. */
export interface Handoff {
  /** The most bytes that may wait for the reader, or be on their way to us, at any time. */
  readonly windowBytes: number;
  /** Bytes taken, from the beginning of the file. Throws what the reader failed with. */
  takenBytes(): number;
  /** Whether bytes wait for the reader: as long as they do, nobody else is slow. */
  isWaiting(): boolean;
  /** Throws IntegrityError once any byte has left: no other agreement can come after it. */
  throwIfGiven(): void;
  /**
   * Resolves once everything is taken, with its digest, which is the agreed one. Throws
   * IntegrityError when it is not, the signal's reason when it is aborted.
   */
  digest(signal: AbortSignal): Promise<Digest>;
}

/** A piece that a journal says is on the disk, and its leaf digest (32 raw bytes). */
export interface JournalRecord {
  readonly piece: PieceIndex;
  readonly digest: Uint8Array;
}

/** The list of written pieces. A hint only: whoever resumes hashes each of them again. */
export interface Journal {
  /** What an earlier run left for the same manifest; `undefined` when there is nothing. */
  readonly claimed: readonly JournalRecord[] | undefined;
  /**
   * Adds pieces whose bytes were written before. Once it resolves, the next run is told of them,
   * unless the machine loses power before `sync`.
   */
  append(records: readonly JournalRecord[]): Promise<void>;
  /**
   * Removes pieces, whichever run appended them: their bytes are not there. To be called before
   * they are written again, or an old record could vouch for bytes that a failed sync lost.
   */
  disown(pieces: readonly PieceIndex[]): Promise<void>;
  /**
   * Once it resolves, what was appended before the call is durable, and so are its bytes, by
   * `syncBytes`. When that fails, what was appended since the last sync is removed and nothing can
   * be appended any more: those bytes may be lost, though until then they are still read right.
   * `isLast`: the file is published next, and the journal itself need not become durable.
   */
  sync(syncBytes: () => Promise<void>, isLast?: boolean): Promise<void>;
}

/** For an output that cannot be resumed: it claims nothing and keeps nothing. */
export const noJournal: Journal = {
  claimed: undefined,
  append: async () => {},
  disown: async () => {},
  sync: (syncBytes) => syncBytes(),
};

/**
 * An old copy of the file on this machine, some pieces of which may be equal. It may change at any
 * time: whoever reads it verifies what was read. Failures are StorageErrors.
 */
export interface Seed {
  /** What messages call it. */
  readonly path: string;
  /** Bytes, as it was opened. */
  readonly size: number;
  /** Fills the buffer from `offset`; gives fewer bytes only at the end of what is there. */
  read(offset: number, buffer: Uint8Array): Promise<number>;
}

/** The unfinished file on disk, locked for this process. */
export interface PartialOutput {
  /**
   * Resolves once it is open, rejects with why it cannot be; writes wait for that by themselves.
   * `undefined` where it is open already.
   */
  readonly opening?: Promise<void> | undefined;
  readonly sink: Sink;
  /** Hashes pieces of the sink on other cores; `undefined` where it can only be read. */
  readonly hashPieces?: ((request: PiecesToHash) => Promise<PieceDigests>) | undefined;
  /** Starts to digest the sink while it is filled; `undefined` where it is read at the end. */
  readonly startDigest?: (() => PrefixDigest | undefined) | undefined;
  readonly journal: Journal;
  /** Where an earlier run's partial was put, when it was not to be taken up. */
  readonly setAside?: string | undefined;
  /** Bytes that an earlier run may have left in the sink, whatever the journal says. */
  readonly leftoverBytes: number;
  /** Makes the verified bytes appear under the output's name, atomically; gives that path. */
  publish(): Promise<string>;
  /** Removes what was fetched: something in it is wrong, and nobody can tell which part. */
  discard(): Promise<void>;
  /** Releases the lock and closes; keeps everything that can be resumed. */
  [Symbol.asyncDispose](): Promise<void>;
}
