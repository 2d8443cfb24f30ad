/** What one lease is read, checked and written with. */

import type { LeafHasher } from "../hash-ports.js";
import type { Chunk, Clock, Replica, Sink } from "../ports.js";
import type { Lease } from "../schedule/ledger.js";
import type { PieceIndex } from "../schedule/pieces.js";
import type { Range } from "../schedule/range.js";
import type { Scheduler } from "../schedule/scheduler.js";
import type { TokenBucket } from "../schedule/token-bucket.js";
import type { Digest } from "../trust/digest.js";
import type { PieceDigests } from "../trust/merkle.js";
import type { Chain } from "./chain.js";
import type { SpareMemory } from "./spare-memory.js";

export interface LeaseReading {
  readonly name: string;
  readonly fileDigest: Digest;
  readonly replica: Replica;
  /** The chunks of a read that began with the vote; else the replica is asked. */
  readonly early?: AsyncIterable<Chunk> | undefined;
  readonly lease: Lease;
  /** The bytes of the lease as granted; a cut may end it sooner. */
  readonly bytes: Range;
  readonly deadlineMs: number;
  readonly signal: AbortSignal;
  /**
   * What the pieces must be: a piece that comes before it is known waits for it. `undefined` when
   * nobody in the quorum gives pieces.
   */
  readonly digests: PieceDigests | Promise<PieceDigests> | undefined;
  readonly sink: Sink;
  readonly scheduler: Scheduler;
  readonly clock: Clock;
  /** Shared by all leases, when the whole download is to keep a rate. */
  readonly bucket: TokenBucket | undefined;
  /** Shared by all leases: what pieces are held in until they are written. */
  readonly spare: SpareMemory;
  /** Hashes pieces that lie in the spare memory; without it, this thread does. */
  readonly hasher?: LeafHasher | undefined;
  /** Proves pieces near the frontier of a fast download; else each is hashed by itself. */
  readonly chain?: Chain | undefined;
  /** Pieces were written unchecked, for the chain to prove. */
  readonly onUnproven?: (lease: Lease) => void;
  /** A piece is verified and on the disk. */
  readonly onPiece: (lease: Lease, piece: PieceIndex, digest: Uint8Array) => void;
}
