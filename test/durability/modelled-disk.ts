/**
 * A disk that forgets: what was written and not synced may be there after a power cut, or not, or
 * in part, in any order, sector by sector. It decides nothing by itself: a seed does.
 */

import type { JournalBytes } from "../../src/files/journal-file.js";
import type { Seeded } from "../support/seeded.js";

/** Everything that a sector held since it was last durable, oldest first. */
type Versions = Map<number, Buffer[]>;

/** One file on it. `crashed` gives what a power cut might leave. */
export class ModelledFile implements JournalBytes {
  readonly #sectorBytes: number;
  readonly #onOperation: () => void;
  /** Whether syncs do what they promise: a negative control turns them off. */
  readonly #syncs: boolean;
  #now: Buffer;
  #durable: Buffer;
  #versions: Versions = new Map();
  /** The lengths that the file had since it was last durable. */
  #lengths: number[] = [];

  constructor(options: {
    readonly bytes: Buffer;
    readonly sectorBytes: number;
    readonly syncs: boolean;
    /** Called before and after each operation: a power cut may come there. */
    readonly onOperation: () => void;
  }) {
    this.#now = Buffer.from(options.bytes);
    this.#durable = Buffer.from(options.bytes);
    this.#sectorBytes = options.sectorBytes;
    this.#syncs = options.syncs;
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
    const durable = Buffer.from(this.#now);
    const synced = new Map([...this.#versions].map(([sector, { length }]) => [sector, length]));
    const syncedLengths = this.#lengths.length;
    // Others write while the disk works.
    for (let turn = 0; turn < 5; turn++) await Promise.resolve();
    if (!this.#syncs) return;
    this.#durable = durable;
    this.#lengths.splice(0, syncedLengths);
    for (const [sector, count] of synced) {
      const later = this.#versions.get(sector)?.slice(count) ?? [];
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
