/**
 * A disk that forgets: what was written and not synced may be there after a power cut, or not, or
 * in part, in any order, sector by sector. It may also refuse bytes, which the kernel then shows
 * until they are needed elsewhere. It decides nothing by itself: a seed does.
 */

import { StorageError } from "../../src/errors.js";
import type { JournalBytes } from "../../src/files/journal-file.js";
import type { Seeded } from "../support/seeded.js";

/** Everything that a sector held since it was last durable, oldest first. */
type Versions = Map<number, Buffer[]>;

interface Options {
  readonly bytes: Buffer;
  readonly sectorBytes: number;
  /** Whether syncs do what they promise: a negative control turns them off. */
  readonly syncs: boolean;
  /** Called before and after each operation: an end may come there. */
  readonly onOperation: () => void;
}

/** One file on it. `crashed` gives what a power cut might leave, `copy` what our own end does. */
export class ModelledFile implements JournalBytes {
  readonly #options: Options;
  readonly #sectorBytes: number;
  readonly #onOperation: () => void;
  #now: Buffer;
  #durable: Buffer;
  #versions: Versions = new Map();
  /** The lengths that the file had since it was last durable. */
  #lengths: number[] = [];
  /** Whether bytes were refused, and nobody was told yet. */
  #isRefusing = false;
  /** Whether this process was told that bytes were refused. */
  hasRefused = false;

  constructor(options: Options) {
    this.#options = options;
    this.#now = Buffer.from(options.bytes);
    this.#durable = Buffer.from(options.bytes);
    this.#sectorBytes = options.sectorBytes;
    this.#onOperation = options.onOperation;
  }

  /** What a reader sees now. */
  get bytes(): Buffer {
    return this.#now;
  }

  /** What the disk might hold if the power went now. */
  crashed(random: Seeded): Buffer {
    const length = random.pick([this.#durable.length, ...this.#lengths]) ?? 0;
    const left = Buffer.alloc(length);
    this.#durable.copy(left);
    // Now and then everything or nothing: the extremes are rare among independent choices.
    const mood = random.below(4);
    for (const [sector, versions] of this.#versions) {
      const kept =
        mood === 0 ? 0 : mood === 1 ? versions.length : random.below(versions.length + 1);
      versions[kept - 1]?.copy(left, sector * this.#sectorBytes);
    }
    return left;
  }

  /** The same file, as another process finds it. */
  copy(onOperation: () => void): ModelledFile {
    const copy = new ModelledFile({ ...this.#options, bytes: this.#now, onOperation });
    copy.#durable = Buffer.from(this.#durable);
    copy.#versions = new Map([...this.#versions].map(([sector, all]) => [sector, [...all]]));
    copy.#lengths = [...this.#lengths];
    copy.#isRefusing = this.#isRefusing;
    return copy;
  }

  /**
   * The disk refuses some of what it is given of a file whose length is durable. All of it is taken
   * for written and can still be read; the next sync, whoever's it is, tells that something failed.
   */
  refuse(random: Seeded): void {
    for (const [sector, versions] of this.#versions) {
      if (random.below(2) === 0) continue;
      versions.at(-1)?.copy(this.#durable, sector * this.#sectorBytes);
    }
    this.#isRefusing ||= this.#versions.size > 0;
    this.#versions.clear();
  }

  async read(bytes: Uint8Array, from: number, length: number, position: number) {
    const there = this.#now.subarray(position, position + length);
    bytes.set(there, from);
    return { bytesRead: there.length };
  }

  async write(bytes: Uint8Array, from: number, length: number, position: number) {
    this.#onOperation();
    const end = position + length;
    if (end > this.#now.length) {
      this.#now = Buffer.concat([this.#now, Buffer.alloc(end - this.#now.length)]);
      this.#lengths.push(end);
    }
    this.#now.set(bytes.subarray(from, from + length), position);
    const first = Math.floor(position / this.#sectorBytes);
    for (let sector = first; sector * this.#sectorBytes < end; sector++) this.#keepVersion(sector);
    this.#onOperation();
    return { bytesWritten: length };
  }

  async truncate(length: number): Promise<void> {
    this.#onOperation();
    const kept = this.#now.subarray(0, length);
    this.#now = Buffer.concat([kept, Buffer.alloc(length - kept.length)]);
    this.#lengths.push(length);
    this.#onOperation();
  }

  /** What was written before the call is durable when it resolves; what comes meanwhile is not. */
  async datasync(): Promise<void> {
    this.#onOperation();
    const { length } = this.#now;
    const synced = new Map([...this.#versions].map(([sector, all]) => [sector, [...all]]));
    const syncedLengths = this.#lengths.length;
    // Others write while the disk works.
    for (let turn = 0; turn < 5; turn++) await Promise.resolve();
    if (!this.#options.syncs) return;
    if (this.#isRefusing) {
      this.#isRefusing = false;
      this.hasRefused = true;
      throw new StorageError("sync: the disk refuses");
    }
    const durable = Buffer.alloc(length);
    this.#durable.copy(durable);
    this.#durable = durable;
    this.#lengths.splice(0, syncedLengths);
    for (const [sector, versions] of synced) {
      versions.at(-1)?.copy(durable, sector * this.#sectorBytes);
      const later = this.#versions.get(sector)?.slice(versions.length) ?? [];
      if (later.length === 0) this.#versions.delete(sector);
      else this.#versions.set(sector, later);
    }
    this.#onOperation();
  }

  async close(): Promise<void> {}

  #keepVersion(sector: number): void {
    const start = sector * this.#sectorBytes;
    const version = Buffer.from(this.#now.subarray(start, start + this.#sectorBytes));
    const versions = this.#versions.get(sector);
    if (versions === undefined) this.#versions.set(sector, [version]);
    else versions.push(version);
  }
}
