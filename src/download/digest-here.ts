/**
 * Digests a sink in this thread while it is being filled, in the pauses between what arrives; or
 * all at once, when the whole is asked for.
 */

import type { PrefixDigest } from "../hash-ports.js";
import { limits } from "../limits.js";
import type { Sink } from "../ports.js";
import { type Digest, DigestBuilder } from "../trust/digest.js";

/** The digest of the sink's first `size` bytes. Nothing is read before a first part is there. */
export function digestHere(sink: Pick<Sink, "read">, size: number): PrefixDigest {
  return new DigestHere(sink, size);
}

class DigestHere implements PrefixDigest {
  readonly #sink: Pick<Sink, "read">;
  readonly #size: number;
  readonly #digest = new DigestBuilder();
  #buffer: Buffer | undefined;
  #reached = 0;
  #offset = 0;
  /** The sink ended early: what it holds has another digest, and whoever compares finds out. */
  #hasEnded = false;
  #isOver = false;
  #reading: Promise<void> | undefined;
  #failure: { readonly error: unknown } | undefined;
  #onProgress: (doneBytes: number) => void = () => {};

  constructor(sink: Pick<Sink, "read">, size: number) {
    this.#sink = sink;
    this.#size = size;
  }

  reached(bytes: number): void {
    this.#reached = bytes;
    if (this.#hasStep) void this.#read();
  }

  async digest({ onProgress, signal }: Parameters<PrefixDigest["digest"]>[0]): Promise<Digest> {
    this.#onProgress = (doneBytes) => {
      onProgress(doneBytes);
      // Between two reads, so that none is under way when it is over.
      if (signal.aborted) this.#isOver = true;
    };
    signal.throwIfAborted();
    if (this.#offset > 0) this.#onProgress(this.#offset);
    this.#reached = this.#size;
    await this.#read();
    signal.throwIfAborted();
    if (this.#failure !== undefined) throw this.#failure.error;
    return this.#digest.finish();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#isOver = true;
    await this.#reading;
  }

  /** A read costs a change of threads, so a little is not worth one before the end. */
  get #hasStep(): boolean {
    if (this.#isOver || this.#hasEnded || this.#failure !== undefined) return false;
    const bytes = this.#reached - this.#offset;
    return bytes >= limits.hashReadBytes || (bytes > 0 && this.#reached === this.#size);
  }

  /** Reads what is there, unless that is being done. Never rejects. */
  #read(): Promise<void> {
    this.#reading ??= this.#readSteps();
    return this.#reading;
  }

  async #readSteps(): Promise<void> {
    try {
      while (this.#hasStep) await this.#readStep();
    } catch (error) {
      this.#failure = { error };
    }
    this.#reading = undefined;
  }

  async #readStep(): Promise<void> {
    this.#buffer ??= Buffer.allocUnsafeSlow(Math.min(limits.hashReadBytes, this.#size));
    const bytes = Math.min(this.#buffer.length, this.#reached - this.#offset);
    const length = await this.#sink.read(this.#offset, this.#buffer.subarray(0, bytes));
    this.#hasEnded = length === 0;
    this.#digest.add(this.#buffer.subarray(0, length));
    this.#offset += length;
    this.#onProgress(this.#offset);
  }
}
