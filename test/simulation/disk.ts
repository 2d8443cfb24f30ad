/**
 * The client's disk in a simulated world: it may be slow, fail once, and lose what was not synced.
 * It counts writes, and tells when the journal vouches for bytes that are not durable.
 */

import { StorageError } from "../../src/errors.js";
import type { Clock, Partial } from "../../src/ports.js";
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

export class SimulatedDisk {
  readonly store: MemoryStore;
  readonly #clock: Clock;
  readonly #witness: Witness;
  readonly #disk: WorldDisk;
  /** Pieces written since the last sync: a power cut loses them. */
  readonly #unsynced = new Set<number>();
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

  async open(manifest: Manifest): Promise<Partial> {
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
    };
    const append: typeof journal.append = async (records) => {
      for (const { piece } of records) {
        if (this.#unsynced.has(piece)) this.#witness.broken(`piece ${piece} journaled unsynced`);
      }
      await journal.append(records);
    };
    return { ...partial, sink: { ...sink, write, sync }, journal: { ...journal, append } };
  }

  /** What the next run finds after this moment: the process is gone, or the power was. */
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
