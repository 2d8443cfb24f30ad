/** Decides when verified pieces become durable: each second, or each 64 MiB, whichever is first. */

import { limits } from "../limits.js";
import type { JournalRecord, Partial } from "../ports.js";

/**
 * Syncs the partial, then the journal, in that order: a record in the journal must never be more
 * durable than the bytes that it vouches for. One sync at a time; a failed one is final, since the
 * kernel has dropped the pages that it could not write and a retry would report success.
 */
export class Checkpoint {
  readonly #partial: Pick<Partial, "sink" | "journal">;
  #pending: JournalRecord[] = [];
  #pendingBytes = 0;
  #lastAt: number;
  #running: Promise<void> | undefined;
  #failure: { readonly error: unknown } | undefined;

  constructor(partial: Pick<Partial, "sink" | "journal">, now: number) {
    this.#partial = partial;
    this.#lastAt = now;
  }

  /** A piece is written. */
  add(record: JournalRecord, bytes: number): void {
    this.#pending.push(record);
    this.#pendingBytes += bytes;
  }

  /** Starts a checkpoint when one is due. Throws what an earlier one failed with. */
  poll(now: number): void {
    if (this.#failure !== undefined) throw this.#failure.error;
    const isDue =
      now - this.#lastAt >= limits.checkpointMs || this.#pendingBytes >= limits.checkpointBytes;
    if (!isDue || this.#running !== undefined || this.#pending.length === 0) return;
    this.#lastAt = now;
    // The failure is kept, and thrown by the next poll or flush.
    this.#start().catch(() => {});
  }

  /** Makes everything added so far durable. */
  async flush(): Promise<void> {
    while (this.#running !== undefined) await this.#running.catch(() => {});
    if (this.#failure !== undefined) throw this.#failure.error;
    if (this.#pending.length > 0) await this.#start();
  }

  #start(): Promise<void> {
    this.#running = this.#write().finally(() => {
      this.#running = undefined;
    });
    return this.#running;
  }

  async #write(): Promise<void> {
    const records = this.#pending;
    this.#pending = [];
    this.#pendingBytes = 0;
    try {
      await this.#partial.sink.sync();
      await this.#partial.journal.append(records);
    } catch (error) {
      this.#failure = { error };
      throw error;
    }
  }
}
