/**
 * Decides when written pieces are journaled, which is soon, and when they become durable: each
 * second, or each 64 MiB, whichever is first.
 */

import { limits } from "../limits.js";
import type { JournalRecord, PartialOutput } from "../ports.js";

/**
 * The journal may run ahead of the syncs: our own end leaves it and the pieces that it names in the
 * kernel's memory, and after a power cut whoever resumes finds by hashing which of them are there.
 * One sync at a time; a failed one is final, since the kernel has dropped the pages that it could
 * not write and a retry would report success. For the same reason the journal then takes back what
 * it says of them: they would be found right in memory, and never be written again.
 */
export class Checkpoint {
  readonly #partial: Pick<PartialOutput, "sink" | "journal">;
  /** Written, and not in the journal. */
  #pending: JournalRecord[] = [];
  /** Written since the last sync began. */
  #unsyncedBytes = 0;
  #appendedAt: number;
  #syncedAt: number;
  #appending: Promise<void> | undefined;
  #syncing: Promise<void> | undefined;
  #failure: { readonly error: unknown } | undefined;

  constructor(partial: Pick<PartialOutput, "sink" | "journal">, now: number) {
    this.#partial = partial;
    this.#appendedAt = now;
    this.#syncedAt = now;
  }

  /** A piece is written. */
  add(record: JournalRecord, bytes: number, now: number): void {
    this.#pending.push(record);
    this.#unsyncedBytes += bytes;
    this.#appendWhenDue(now);
  }

  /** Starts what is due, with so much still to come. Throws what something failed with earlier. */
  poll(now: number, comingBytes = Number.POSITIVE_INFINITY): void {
    this.#throwIfFailed();
    this.#appendWhenDue(now);
    const { checkpointMs, checkpointBytes, endingBytes } = limits;
    // Towards the end ever less is left for the last sync, which shall not have to wait for one.
    const mostBytes = comingBytes < endingBytes ? checkpointBytes : comingBytes;
    const dueBytes = Math.min(checkpointBytes, mostBytes);
    const isDue = now - this.#syncedAt >= checkpointMs || this.#unsyncedBytes >= dueBytes;
    if (!isDue || this.#syncing !== undefined || this.#unsyncedBytes === 0) return;
    this.#syncedAt = now;
    // The failure is kept, and thrown by the next poll or flush.
    this.#sync().catch(() => {});
  }

  /** Makes everything added so far durable; `isLast`: but for the journal, which is to go. */
  async flush(isLast = false): Promise<void> {
    while (this.#syncing !== undefined) await this.#syncing.catch(() => {});
    this.#throwIfFailed();
    if (this.#unsyncedBytes > 0) await this.#sync(isLast);
  }

  #throwIfFailed(): void {
    if (this.#failure !== undefined) throw this.#failure.error;
  }

  #appendWhenDue(now: number): void {
    const isDue = now - this.#appendedAt >= limits.journalMs && this.#pending.length > 0;
    if (!isDue || this.#appending !== undefined || this.#failure !== undefined) return;
    this.#appendedAt = now;
    this.#append().catch((error: unknown) => {
      this.#failure ??= { error };
    });
  }

  /** Journals what is pending: one write at a time, each at the end that the last one left. */
  #append(): Promise<void> {
    this.#appending ??= this.#partial.journal.append(this.#pending.splice(0)).finally(() => {
      this.#appending = undefined;
    });
    return this.#appending;
  }

  #sync(isLast = false): Promise<void> {
    this.#unsyncedBytes = 0;
    this.#syncing = this.#makeDurable(isLast)
      .catch((error: unknown) => {
        this.#failure ??= { error };
        throw error;
      })
      .finally(() => {
        this.#syncing = undefined;
      });
    return this.#syncing;
  }

  async #makeDurable(isLast: boolean): Promise<void> {
    const { sink, journal } = this.#partial;
    // First, so that a disk that takes long keeps nothing from the journal.
    await this.#appending;
    const isDue = this.#appending !== undefined || this.#pending.length > 0;
    const appended = isDue ? this.#append() : undefined;
    if (!isLast) await appended;
    const synced = journal.sync(() => sink.sync(), isLast);
    // Both are over before anything is closed.
    await Promise.allSettled([appended, synced]);
    await appended;
    await synced;
  }
}
