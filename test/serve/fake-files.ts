/** Files whose hashing a test holds in its hands, and that count how often they are opened. */

import type { ManifestStore, OpenFile } from "../../src/server-ports.js";
import type { FileManifest } from "../../src/trust/manifest.js";
import { manifestOfBytes } from "../support/memory-replica.js";
import { Deferred } from "./reading.js";

/** One hash that runs. */
export interface Hashing {
  readonly key: string;
  progress(doneBytes: number): void;
  /** Ends it, with what the file is. */
  finish(): void;
  fail(error: Error): void;
}

/** What a file looks like when it is opened. */
export interface FileState {
  readonly key: string;
  readonly bytes: Uint8Array;
  readonly ageMs: number;
}

/** A file in memory; `state` is what the next one to open it finds. */
export class FakeFiles {
  state: FileState;
  opened = 0;
  closed = 0;
  /** Whether the file is no longer what it was, as seen after a hash. */
  hasChanged = false;
  readonly hashings: Hashing[] = [];
  running = 0;
  mostRunning = 0;
  readonly #begun = new Set<() => void>();

  constructor(state: Partial<FileState> = {}) {
    this.state = { key: "v1", bytes: Buffer.from("hello"), ageMs: 60_000, ...state };
  }

  readonly open = async (state: FileState = this.state): Promise<OpenFile> => {
    this.opened++;
    return {
      version: { key: state.key, size: state.bytes.length, ageMs: state.ageMs },
      read: () => Promise.reject(new Error("nobody reads here")),
      hasChanged: async () => this.hasChanged,
      digest: (onProgress, signal) => this.#hash(state, onProgress, signal),
      close: async () => {
        this.closed++;
      },
    };
  };

  /** Resolves once so many hashes have begun. */
  async begun(count: number): Promise<void> {
    while (this.hashings.length < count) {
      await new Promise<void>((resolve) => this.#begun.add(resolve));
    }
  }

  async #hash(
    { key, bytes }: FileState,
    progress: (doneBytes: number) => void,
    signal: AbortSignal,
  ): Promise<FileManifest> {
    const end = new Deferred<FileManifest>();
    const finish = () => end.resolve(manifestOfBytes(bytes));
    this.hashings.push({ key, progress, finish, fail: end.reject });
    this.running++;
    this.mostRunning = Math.max(this.mostRunning, this.running);
    signal.addEventListener("abort", () => end.reject(signal.reason), { once: true });
    for (const tell of [...this.#begun]) tell();
    this.#begun.clear();
    try {
      return await end.promise;
    } finally {
      this.running--;
    }
  }
}

/** A store in memory that tells what was asked and kept. */
export class FakeStore implements ManifestStore {
  readonly kept = new Map<string, FileManifest>();
  readonly asked: string[] = [];

  async get(key: string): Promise<FileManifest | undefined> {
    this.asked.push(key);
    return this.kept.get(key);
  }

  async put(key: string, manifest: FileManifest): Promise<void> {
    this.kept.set(key, manifest);
  }
}
