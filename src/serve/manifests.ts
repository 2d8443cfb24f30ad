/**
 * Decides when a file is hashed: once for each state of it, one flight however many ask, few at a
 * time.
 */

import { limits } from "../limits.js";
import { type Clock, ReplicaFault } from "../ports.js";
import type { ManifestStore, OpenFile } from "../server-ports.js";
import type { FileManifest } from "../trust/manifest.js";

/** How far a hash is. */
export interface HashingProgress {
  readonly name: string;
  readonly doneBytes: number;
  readonly totalBytes: number;
}

/** A manifest, and the state of the file that it is of. */
export interface KnownFile {
  readonly version: string;
  readonly manifest: FileManifest;
}

interface Flight {
  readonly manifest: Promise<FileManifest>;
  doneBytes: number;
}

/** Shared by all virtual servers of a group, so that a file is read once for all of them. */
export class Manifests {
  readonly #store: ManifestStore;
  readonly #clock: Clock;
  readonly #onProgress: (progress: HashingProgress) => void;
  readonly #signal: AbortSignal;
  readonly #kept = new Map<string, FileManifest>();
  readonly #flights = new Map<string, Flight>();
  #running = 0;
  readonly #waiting: (() => void)[] = [];

  /** `signal` ends hashing when the group ends. */
  constructor(options: {
    readonly store: ManifestStore;
    readonly clock: Clock;
    readonly signal: AbortSignal;
    readonly onProgress?: (progress: HashingProgress) => void;
  }) {
    this.#store = options.store;
    this.#clock = options.clock;
    this.#signal = options.signal;
    this.#onProgress = options.onProgress ?? (() => {});
  }

  /**
   * The manifest of a file in its present state. When it is not known yet, hashing starts and goes
   * on whoever waits; a caller that cannot wait `patienceMs` gets a `hashing` fault that tells how
   * far it is.
   */
  async of(
    name: string,
    open: () => Promise<OpenFile>,
    options: { readonly patienceMs: number } = { patienceMs: limits.hashingPatienceMs },
  ): Promise<KnownFile> {
    const file = await open();
    const { key, size } = file.version;
    const version = key;
    const known = this.#kept.get(key);
    const running = this.#flights.get(key);
    if (known !== undefined || running !== undefined) await file.close();
    if (known !== undefined) return { version, manifest: this.#keep(key, known) };
    if (running === undefined && this.#flights.size >= limits.hashesInFlight) {
      await file.close();
      throw new ReplicaFault({ kind: "busy", retryMs: limits.hashingRetryMs });
    }
    const flight = running ?? this.#takeOff(name, file);
    const manifest = await this.#within(options.patienceMs, flight.manifest);
    if (manifest !== undefined) return { version, manifest };
    const { doneBytes } = flight;
    const retryMs = limits.hashingRetryMs;
    throw new ReplicaFault({ kind: "hashing", retryMs, doneBytes, totalBytes: size });
  }

  /** Files being hashed now, and files that wait for their turn. */
  get inFlight(): { readonly running: number; readonly waiting: number } {
    return { running: this.#running, waiting: this.#waiting.length };
  }

  /** `undefined` when it is not there after so long. */
  async #within(ms: number, manifest: Promise<FileManifest>): Promise<FileManifest | undefined> {
    const wait = new AbortController();
    // Cut short when the manifest is sooner, which it says by rejecting.
    const patience = this.#clock.sleep(ms, wait.signal).catch(() => {});
    try {
      return (await Promise.race([manifest, patience])) ?? undefined;
    } finally {
      wait.abort();
    }
  }

  #takeOff(name: string, file: OpenFile): Flight {
    const { key } = file.version;
    const flight: Flight = {
      manifest: this.#make(name, file, (doneBytes) => {
        flight.doneBytes = doneBytes;
      }).finally(() => this.#flights.delete(key)),
      doneBytes: 0,
    };
    // Whoever waits is told; when nobody waits any more, the next one to ask starts again.
    flight.manifest.catch(() => {});
    this.#flights.set(key, flight);
    return flight;
  }

  async #make(
    name: string,
    file: OpenFile,
    onDone: (doneBytes: number) => void,
  ): Promise<FileManifest> {
    try {
      const { key, size, ageMs } = file.version;
      const stored = await this.#store.get(key);
      if (stored !== undefined) return this.#keep(key, stored);
      await this.#turn();
      try {
        const report = (doneBytes: number) => {
          onDone(doneBytes);
          this.#onProgress({ name, doneBytes, totalBytes: size });
        };
        const manifest = await file.digest(report, this.#signal);
        if (await file.hasChanged()) {
          throw new ReplicaFault({ kind: "changed", detail: "it changed while it was hashed" });
        }
        // Within the clock's granularity a file may change twice and look the same: not for keeps.
        if (ageMs >= limits.youngFileMs) await this.#store.put(key, manifest);
        return this.#keep(key, manifest);
      } finally {
        this.#running--;
        this.#waiting.shift()?.();
      }
    } finally {
      await file.close();
    }
  }

  async #turn(): Promise<void> {
    while (this.#running >= limits.hashersAtOnce) {
      await new Promise<void>((resolve) => this.#waiting.push(resolve));
    }
    this.#running++;
  }

  #keep(key: string, manifest: FileManifest): FileManifest {
    this.#kept.delete(key);
    this.#kept.set(key, manifest);
    for (const oldest of this.#kept.keys()) {
      if (this.#kept.size <= limits.manifestsKept) break;
      this.#kept.delete(oldest);
    }
    return manifest;
  }
}
