/**
 * The stream of any answer but a read's, message by message. Only what was taken is granted again,
 * so at most a window of bytes waits.
 */

import { limits } from "../../limits.js";
import type { ExpressStream } from "./express-stream.js";
import { Unexpected } from "./frames.js";
import type { LastHeaders } from "./headers.js";
import { prefixBytes } from "./messages.js";
import { StreamBell } from "./stream-bell.js";
import { StreamWindow } from "./stream-window.js";

/** A length may be announced and never come: memory starts with this, and grows with what comes. */
const firstMemoryBytes = 64 * 1024;

export class ExpressAnswer implements ExpressStream<Uint8Array> {
  isOver = false;
  readonly #window = new StreamWindow();
  readonly #onLastHeaders: (last: LastHeaders) => void;
  readonly #messages: Buffer[] = [];
  readonly #prefix = Buffer.alloc(prefixBytes);
  #prefixFilled = 0;
  /** What came of the message whose prefix is there. */
  #memory = Buffer.alloc(0);
  #length = 0;
  #filled = 0;
  #hasBegun = false;
  readonly #bell = new StreamBell();

  /** `onLastHeaders`: told of the headers that end the answer, if these stand behind a message. */
  constructor(onLastHeaders: (last: LastHeaders) => void) {
    this.#onLastHeaders = onLastHeaders;
  }

  /** How many messages there are only the end tells. */
  get isWhole(): boolean {
    return false;
  }

  begin(bytes: number): void {
    this.#window.begin(bytes);
  }

  data(bytes: Buffer, from: number, to: number): void {
    if (this.isOver) return;
    this.#window.waits(to - from);
    for (let at = from; at < to; ) {
      at = this.#prefixFilled < prefixBytes ? this.#head(bytes, at, to) : this.#fill(bytes, at, to);
      if (this.#prefixFilled === prefixBytes && this.#filled === this.#length) this.#end();
    }
  }

  headers(block: Buffer, areLast: boolean): void {
    if (areLast && !this.isOver && this.#prefixFilled === 0) {
      this.#onLastHeaders({ block: Uint8Array.from(block), areOnly: !this.#hasBegun });
    }
    this.#hasBegun = true;
  }

  grant(): number {
    // The whole window: a message is only taken as a whole, and may be larger than a share.
    return this.isOver ? 0 : this.#window.grant(limits.windowBytes);
  }

  end(): void {
    this.isOver = true;
    this.#bell.ring();
  }

  ring(): void {
    if (this.#messages.length > 0) this.#bell.ring();
  }

  async *items(signal: AbortSignal, onTaken: () => void): AsyncGenerator<Uint8Array> {
    const wake = () => this.#bell.ring();
    signal.addEventListener("abort", wake, { once: true });
    try {
      while (!signal.aborted) {
        const message = this.#messages.shift();
        if (message === undefined) {
          if (this.isOver) return;
          await this.#bell.rung();
          continue;
        }
        yield message;
        this.#window.taken(prefixBytes + message.length);
        onTaken();
      }
    } finally {
      signal.removeEventListener("abort", wake);
      this.isOver = true;
      this.#messages.length = 0;
    }
  }

  #head(bytes: Buffer, from: number, to: number): number {
    const end = Math.min(to, from + prefixBytes - this.#prefixFilled);
    this.#prefixFilled += bytes.copy(this.#prefix, this.#prefixFilled, from, end);
    if (this.#prefixFilled < prefixBytes) return end;
    this.#length = this.#prefix.readUInt32BE(1);
    if (this.#prefix.readUInt8(0) !== 0) throw new Unexpected("a compressed message");
    if (this.#length > limits.messageBytes) {
      throw new Unexpected(`a message of ${this.#length} bytes`);
    }
    return end;
  }

  #fill(bytes: Buffer, from: number, to: number): number {
    const end = Math.min(to, from + this.#length - this.#filled);
    const filled = this.#filled + end - from;
    if (filled > this.#memory.length) {
      const wanted = Math.max(filled, 2 * this.#filled, firstMemoryBytes);
      const memory = Buffer.allocUnsafeSlow(Math.min(this.#length, wanted));
      this.#memory.copy(memory, 0, 0, this.#filled);
      this.#memory = memory;
    }
    bytes.copy(this.#memory, this.#filled, from, end);
    this.#filled = filled;
    return end;
  }

  #end(): void {
    this.#messages.push(this.#memory);
    this.#memory = Buffer.alloc(0);
    this.#prefixFilled = 0;
    this.#filled = 0;
    this.#length = 0;
  }
}
