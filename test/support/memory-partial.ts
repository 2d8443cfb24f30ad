/** A partial in memory: what a test reads back, and what survives from one "run" to the next. */

import { StorageError } from "../../src/errors.js";
import type { JournalRecord, PartialOutput } from "../../src/ports.js";
import type { Manifest } from "../../src/trust/manifest.js";

export { manifestOfBytes } from "./memory-replica.js";

/** What the fake is asked to do, in the words of the port. */
export type MemoryOperation =
  | ("write" | "read" | "sync")
  | ("append" | "journal-sync")
  | ("publish" | "discard");

/** What a disk would hold. Made by `memoryStore`; tests read it. */
export interface MemoryStore {
  /** The unfinished file; `undefined` when there is none. */
  partial: Uint8Array | undefined;
  /** Which manifest the journal is of, and its records; `undefined` when there is none. */
  journal: { readonly identity: string; readonly records: JournalRecord[] } | undefined;
  /** The finished file; `undefined` until it is published. */
  published: Uint8Array | undefined;
  isLocked: boolean;
  /** Called before each operation; what it throws makes that operation fail. */
  before: (operation: MemoryOperation) => void;
}

/** An empty disk. `before` may throw, to make the n-th operation fail. */
export function memoryStore(before: (operation: MemoryOperation) => void = () => {}): MemoryStore {
  return {
    partial: undefined,
    journal: undefined,
    published: undefined,
    isLocked: false,
    before,
  };
}

/** Opens the partial that the store holds, or begins one; the next call takes up what is left. */
export async function memoryPartial(
  store: MemoryStore,
  manifest: Manifest,
): Promise<PartialOutput> {
  if (store.isLocked) throw new StorageError("lock memory: somebody else is writing this output");
  if (store.published !== undefined) throw existsError();
  const bytes = new Uint8Array(manifest.size);
  const leftover = store.partial?.subarray(0, manifest.size) ?? new Uint8Array();
  bytes.set(leftover);
  const { size, digest, root, pieceBytes } = manifest;
  const identity = [size, digest, root, pieceBytes].join(" ");
  const claimed = store.journal?.identity === identity ? [...store.journal.records] : undefined;
  const records = [...(claimed ?? [])];
  store.isLocked = true;
  store.partial = bytes;
  store.journal = { identity, records };
  return {
    ...portsOf(store, bytes, records, claimed),
    leftoverBytes: leftover.length,
    async publish() {
      store.before("publish");
      if (store.published !== undefined) throw existsError();
      store.published = bytes.slice();
      store.partial = undefined;
      store.journal = undefined;
      return "memory";
    },
    async discard() {
      store.before("discard");
      store.partial = undefined;
      store.journal = undefined;
    },
    async [Symbol.asyncDispose]() {
      store.isLocked = false;
    },
  };
}

function portsOf(
  store: MemoryStore,
  bytes: Uint8Array,
  records: JournalRecord[],
  claimed: readonly JournalRecord[] | undefined,
): Pick<PartialOutput, "sink" | "journal"> {
  const sink = {
    async write(offset: number, written: Uint8Array) {
      store.before("write");
      bytes.set(written, offset);
    },
    async read(offset: number, buffer: Uint8Array) {
      store.before("read");
      const there = bytes.subarray(offset, offset + buffer.length);
      buffer.set(there);
      return there.length;
    },
    async sync() {
      store.before("sync");
    },
  };
  let soundCount = 0;
  let failed: { readonly error: unknown } | undefined;
  const append = async (added: readonly JournalRecord[]) => {
    if (failed !== undefined) throw failed.error;
    store.before("append");
    records.push(...added.map(({ piece, digest }) => ({ piece, digest: digest.slice() })));
  };
  const disown = async (pieces: readonly number[]) => {
    if (failed !== undefined) throw failed.error;
    store.before("append");
    const kept = records.filter(({ piece }) => !pieces.includes(piece));
    soundCount -= records.slice(0, soundCount).filter(({ piece }) => pieces.includes(piece)).length;
    records.splice(0, records.length, ...kept);
  };
  const sync = async (syncBytes: () => Promise<void>) => {
    if (failed !== undefined) throw failed.error;
    const { length } = records;
    try {
      await syncBytes();
    } catch (error) {
      failed = { error };
      records.length = soundCount;
      throw error;
    }
    store.before("journal-sync");
    soundCount = length;
  };
  return { sink, journal: { claimed, append, disown, sync } };
}

function existsError(): StorageError {
  return new StorageError("write memory: it exists already; --force replaces it");
}
