/**
 * The client's disk in a simulated world: it may be slow, fail once, and lose what was not synced.
 * It counts writes, and tells when the journal vouches for bytes that were not written or synced.
 */

import { StorageError } from "../../src/errors.js";
import type { Clock, PartialOutput } from "../../src/ports.js";
import type { Manifest } from "../../src/trust/manifest.js";
import {
  type MemoryOperation,
  type MemoryStore,
  memoryPartial,
  memoryStore,
} from "../support/memory-partial.js";
import { pieceBytes } from "./versions.js";
import type { Witness } from "./witness.js";
import type { WorldDisk } from "./world.js";

/** Whether a piece is more than zeros: those are what was only reserved, or lost. */
export function isWritten(partial: Uint8Array, piece: number): boolean {
  return partial.subarray(piece * pieceBytes, (piece + 1) * pieceBytes).some((byte) => byte > 0);
}

export class SimulatedDisk {
  readonly store: MemoryStore;
  readonly #clock: Clock;
  readonly #witness: Witness;
  readonly #disk: WorldDisk;
  /** Pieces written since the last sync: a power cut loses them. */
  readonly #unsynced = new Set<number>();
  #syncs = 0;
  #operations = 0;
  /** What failed, once something has. */
  failed: MemoryOperation | undefined;

  constructor(
    disk: WorldDisk,
    { clock, witness, store }: { clock: Clock; witness: Witness; store?: MemoryStore },
  ) {
    this.#disk = disk;
    this.#clock = clock;
    this.#witness = witness;
    this.store = store ?? memoryStore();
    let hasSyncFailed = false;
    this.store.before = (operation) => {
      if (hasSyncFailed && operation === "sync") witness.broken("a sync came after a failed one");
      if (this.#operations++ !== disk.failsAt) return;
      this.failed = operation;
      hasSyncFailed = operation === "sync";
      throw new StorageError(`${operation} memory: the disk refuses`);
    };
  }

  async open(manifest: Manifest): Promise<PartialOutput> {
    const partial = await memoryPartial(this.store, manifest);
    const { sink, journal } = partial;
    const write = async (offset: number, bytes: Uint8Array) => {
      const { writeMs } = this.#disk;
      if (writeMs > 0) await this.#clock.sleep(writeMs);
      await sink.write(offset, bytes);
      const first = offset / manifest.pieceBytes;
      const end = first + Math.ceil(bytes.length / manifest.pieceBytes);
      for (let piece = first; piece < end; piece++) this.#unsynced.add(piece);
      this.#witness.wrote(first, bytes, manifest);
    };
    const sync = async () => {
      const { writeMs } = this.#disk;
      const written = [...this.#unsynced];
      if (writeMs > 0) await this.#clock.sleep(writeMs);
      await sink.sync();
      for (const piece of written) this.#unsynced.delete(piece);
      this.#syncs++;
    };
    const append: typeof journal.append = async (records) => {
      for (const { piece } of records) {
        const { partial } = this.store;
        if (partial !== undefined && isWritten(partial, piece)) continue;
        this.#witness.broken(`piece ${piece} journaled, and not written`);
      }
      await journal.append(records);
    };
    const syncJournal: typeof journal.sync = async (syncBytes) => {
      const before = this.#syncs;
      await journal.sync(syncBytes);
      if (this.#syncs === before) this.#witness.broken("the journal synced, the bytes are not");
    };
    const sinkHere = { ...sink, write, sync };
    return { ...partial, sink: sinkHere, journal: { ...journal, append, sync: syncJournal } };
  }

  /**
   * What the next run finds after this moment: the process is gone, or the power was. The journal
   * then knows of bytes that are lost.
   */
  left(hasPower: boolean): MemoryStore {
    const { partial, journal, published } = this.store;
    const bytes = partial?.slice();
    if (!hasPower && bytes !== undefined) {
      for (const piece of this.#unsynced) {
        bytes.fill(0, piece * pieceBytes, (piece + 1) * pieceBytes);
      }
    }
    const copy = memoryStore();
    copy.partial = bytes;
    copy.journal = journal && { ...journal, records: [...journal.records] };
    copy.published = published;
    return copy;
  }
}
