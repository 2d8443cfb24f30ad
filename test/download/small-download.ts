/** Downloads in memory and in virtual time: replicas by letter, and all that came of it. */

import assert from "node:assert/strict";
import { download } from "../../src/download/download.js";
import type { DownloadOptions } from "../../src/download/options.js";
import type { DownloadEvent } from "../../src/download/progress.js";
import type { PartialOutput, Replica, Seed } from "../../src/ports.js";
import type { Receipt, ReplicaReceipt } from "../../src/receipt/receipt.js";
import type { Manifest } from "../../src/trust/manifest.js";
import { type ReplicaId, replicaId } from "../../src/trust/quorum.js";
import { FakeClock } from "../support/fake-clock.js";
import { madeUp } from "../support/made-up.js";
import { type MemoryStore, memoryPartial, memoryStore } from "../support/memory-partial.js";
import { memoryReplica } from "../support/memory-replica.js";

export const name = "file.bin";
export const pieceBytes = 64 * 1024;
/** Twenty pieces, the last of them short. */
export const content = madeUp(20 * pieceBytes - 123);

/** Replicas by the letter that they are called by. */
export type ByLetter = Readonly<Record<string, Replica>>;

export const honest = (bytes: Uint8Array = content, chunkBytes?: number): Replica =>
  memoryReplica({ [name]: bytes }, chunkBytes);

export function replicasOf(byLetter: ByLetter): Map<ReplicaId, Replica> {
  return new Map(Object.entries(byLetter).map(([letter, replica]) => [replicaId(letter), replica]));
}

/** A world with one disk and one clock, in which one download after the other may run. */
export class SmallDownload {
  readonly clock = new FakeClock();
  readonly store: MemoryStore = memoryStore();
  readonly events: DownloadEvent[] = [];
  /** Old copies. */
  seeds: readonly Seed[] = [];
  /** Whether reads begin with the vote. */
  readsEarly = false;
  /** Changes the partial before the download gets it. */
  wrap: (partial: PartialOutput) => PartialOutput = (partial) => partial;
  /** Hears each event before it is kept. */
  listen: (event: DownloadEvent) => void = () => {};

  get(byLetter: ByLetter, options: DownloadOptions = {}): Promise<Receipt> {
    const { clock } = this;
    const openPartial = async (manifest: Manifest) =>
      this.wrap(await memoryPartial(this.store, manifest));
    const onEvent = (event: DownloadEvent) => {
      this.listen(event);
      this.events.push(event);
    };
    const request = { name, replicas: replicasOf(byLetter) };
    const world = {
      clock,
      random: () => 0.5,
      openPartial,
      seeds: this.seeds,
      readsEarly: this.readsEarly,
    };
    return download(request, world, { onEvent, ...options });
  }

  /** What was published must be these bytes; the lock must be free. */
  assertPublished(bytes: Uint8Array = content): void {
    const { published, isLocked } = this.store;
    assert.ok(published !== undefined && Buffer.compare(published, bytes) === 0, "the right file");
    assert.equal(isLocked, false);
  }

  assertUnpublished(): void {
    assert.equal(this.store.published, undefined);
    assert.equal(this.store.isLocked, false);
  }

  /** The events' names, without those that repeat the one before. */
  story(): string[] {
    const names = this.events.map(({ event }) => event);
    return names.filter((event, index) => event !== names[index - 1]);
  }

  /** What a replica was told to have done wrong, in order. */
  faultsOf(letter: string): string[] {
    return this.events.flatMap((event) =>
      event.event === "fault" && event.replica === letter ? [event.fault.kind] : [],
    );
  }
}

/** A replica's line of a receipt. */
export function lineOf({ replicas }: Receipt, letter: string): ReplicaReceipt {
  const line = replicas.find(({ address }) => address === letter);
  assert.ok(line !== undefined, `the receipt has a line for ${letter}`);
  return line;
}

/** Whether what was thrown is an error of this name whose message has this in it. */
export const errorOf = (kind: string, text = /./) => {
  return (thrown: unknown) =>
    thrown instanceof Error && thrown.name === kind && text.test(thrown.message);
};
