/**
 * Hands a file on in order while it is fetched in any: pieces wait in memory until all before them
 * are taken. How many may wait is the schedule's window; nothing can be taken back, and nothing
 * resumed.
 */

import { IntegrityError } from "../errors.js";
import { limits } from "../limits.js";
import { type Handoff, noJournal, type PartialOutput, type Sink } from "../ports.js";
import { type Digest, DigestBuilder } from "../trust/digest.js";
import type { Manifest } from "../trust/manifest.js";
import { Bell } from "./bell.js";
import { SpareMemory } from "./spare-memory.js";

/** Takes bytes; resolves once it wants more of them. The bytes are its own until then. */
export type Take = (bytes: Uint8Array) => Promise<void>;

/** Where the bytes of a download go. */
export class OrderedOutput {
  readonly #name: string;
  readonly #take: Take;
  readonly #windowBytes: number;
  #givenBytes = 0;

  /** `name`: of the file, for messages. `windowBytes`: how much may wait in memory. */
  constructor(name: string, take: Take, windowBytes: number = limits.orderedWindowBytes) {
    this.#name = name;
    this.#take = take;
    this.#windowBytes = windowBytes;
  }

  /**
   * Opens it for one agreement. Throws IntegrityError when bytes under another agreement were given
   * away already: nobody can tell the reader to forget them.
   */
  open(manifest: Manifest): PartialOutput & { readonly heldBytes: () => number } {
    this.#throwIfGiven();
    const take: Take = (bytes) => {
      this.#givenBytes += bytes.length;
      return this.#take(bytes);
    };
    const throwIfGiven = () => this.#throwIfGiven();
    const [name, windowBytes] = [this.#name, this.#windowBytes];
    const line = new Line({ manifest, name, take, throwIfGiven, windowBytes });
    return {
      sink: { ...sinkOf(line), handoff: line },
      journal: noJournal,
      leftoverBytes: 0,
      heldBytes: () => line.heldBytes,
      publish: async () => "-",
      discard: async () => {},
      [Symbol.asyncDispose]: async () => line.close(),
    };
  }

  #throwIfGiven(): void {
    if (this.#givenBytes === 0) return;
    throw new IntegrityError(
      `get ${this.#name}: it was agreed on no longer after ${this.#givenBytes} bytes had been ` +
        "written; what was written is not to be trusted",
    );
  }
}

function sinkOf(line: Line): Sink {
  return {
    async write(offset, bytes) {
      line.add(offset, bytes);
    },
    // What was handed on cannot be read back; nobody asks, since the line's digest ends it all.
    read: async () => 0,
    sync: async () => {},
  };
}

/** Pieces in a line, the first of which is on its way to the reader. */
class Line implements Handoff {
  readonly windowBytes: number;
  readonly throwIfGiven: () => void;
  readonly #manifest: Manifest;
  readonly #name: string;
  readonly #take: Take;
  readonly #held = new Map<number, Uint8Array>();
  /** Memory of pieces that were taken. */
  readonly #spare: SpareMemory;
  readonly #digest = new DigestBuilder();
  readonly #bell = new Bell();
  #takenBytes = 0;
  #isGiving = false;
  #isClosed = false;
  #failure: { readonly error: unknown } | undefined;

  constructor(parts: {
    readonly manifest: Manifest;
    readonly name: string;
    readonly take: Take;
    readonly throwIfGiven: () => void;
    readonly windowBytes: number;
  }) {
    this.#manifest = parts.manifest;
    this.#name = parts.name;
    this.#take = parts.take;
    this.throwIfGiven = parts.throwIfGiven;
    this.windowBytes = parts.windowBytes;
    this.#spare = new SpareMemory(Buffer.allocUnsafeSlow, parts.windowBytes);
  }

  get heldBytes(): number {
    let bytes = 0;
    for (const piece of this.#held.values()) bytes += piece.length;
    return bytes;
  }

  add(offset: number, bytes: Uint8Array): void {
    this.#throwIfFailed();
    // A piece that came twice: both copies are right, and one is on its way.
    if (offset < this.#takenBytes || this.#held.has(offset)) return;
    const memory = this.#spare.take(this.#manifest.pieceBytes);
    memory.set(bytes);
    this.#held.set(offset, memory.subarray(0, bytes.length));
    if (!this.#isGiving) void this.#give();
  }

  takenBytes(): number {
    this.#throwIfFailed();
    return this.#takenBytes;
  }

  isWaiting(): boolean {
    return this.#isGiving;
  }

  async digest(signal: AbortSignal): Promise<Digest> {
    const onAbort = () => this.#bell.ring();
    signal.addEventListener("abort", onAbort, { once: true });
    try {
      while (this.#isGiving) {
        signal.throwIfAborted();
        await this.#bell.rung();
      }
    } finally {
      signal.removeEventListener("abort", onAbort);
    }
    this.#throwIfFailed();
    const digest = this.#digest.finish();
    if (this.#takenBytes === this.#manifest.size && digest === this.#manifest.digest) return digest;
    throw new IntegrityError(
      `get ${this.#name}: the whole file does not have the digest that the quorum agreed on ` +
        `(${this.#manifest.digest}); what was written is not to be trusted`,
    );
  }

  close(): void {
    this.#isClosed = true;
    this.#held.clear();
  }

  async #give(): Promise<void> {
    this.#isGiving = true;
    try {
      for (;;) {
        const offset = this.#takenBytes;
        const piece = this.#held.get(offset);
        if (piece === undefined || this.#isClosed) break;
        this.#digest.add(piece);
        await this.#take(piece);
        this.#takenBytes += piece.length;
        this.#held.delete(offset);
        if (!this.#isClosed) this.#spare.giveBack(new Uint8Array(piece.buffer));
      }
    } catch (error) {
      this.#failure = { error };
    } finally {
      this.#isGiving = false;
      this.#bell.ring();
    }
  }

  #throwIfFailed(): void {
    if (this.#failure !== undefined) throw this.#failure.error;
  }
}
