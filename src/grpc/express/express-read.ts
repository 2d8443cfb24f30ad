/**
 * The stream of one read: gathers the bytes that arrive into blocks, which its reader takes one
 * after the other. Only what was taken is granted again, so at most a window of bytes waits.
 */

import type { Chunk } from "../../ports.js";
import type { Range } from "../../schedule/range.js";
import type { ExpressStream } from "./express-stream.js";
import type { LastHeaders } from "./headers.js";
import { MessageReader } from "./messages.js";
import type { ReadMemory } from "./read-memory.js";
import { StreamBell } from "./stream-bell.js";
import { StreamWindow } from "./stream-window.js";

/** After so long without a block, a reader that waits gets what there is of the next one. */
const holdMs = 25;

interface Block {
  readonly memory: Buffer;
  readonly offset: number;
  /** Blocks end where multiples of their size do in the file, so that pieces lie whole in them. */
  readonly size: number;
  filled: number;
}

interface ReadOptions {
  readonly range: Range;
  readonly memory: ReadMemory;
  /** Told of the headers that end the answer, if it ends with any. */
  readonly onLastHeaders: (last: LastHeaders) => void;
  /** Told of bytes that came and were not taken. */
  readonly onLost: ((bytes: number) => void) | undefined;
}

export class ExpressRead implements ExpressStream<Chunk> {
  isOver = false;
  readonly #range: Range;
  readonly #messages: MessageReader;
  readonly #memory: ReadMemory;
  readonly #onLastHeaders: (last: LastHeaders) => void;
  readonly #onLost: ((bytes: number) => void) | undefined;
  /** In order; the last one is still being filled. */
  readonly #blocks: Block[] = [];
  #handedAt = Number.NEGATIVE_INFINITY;
  readonly #bell = new StreamBell();
  readonly #window = new StreamWindow();
  #hasBegun = false;

  constructor({ range, memory, onLastHeaders, onLost }: ReadOptions) {
    this.#range = range;
    this.#messages = new MessageReader(range);
    this.#memory = memory;
    this.#onLastHeaders = onLastHeaders;
    this.#onLost = onLost;
  }

  /** Whether every byte of the range has arrived. */
  get isWhole(): boolean {
    return this.#messages.next === this.#range.end;
  }

  begin(bytes: number): void {
    this.#window.begin(bytes);
  }

  data(bytes: Buffer, from: number, to: number): void {
    if (this.isOver) {
      this.#onLost?.(to - from);
      return;
    }
    let at = this.#messages.head(bytes, from, to);
    while (at < to) {
      const part = Math.min(to - at, this.#messages.dataLeft);
      this.#gather(bytes, at, at + part);
      at = this.#messages.head(bytes, at + part, to);
    }
  }

  headers(block: Buffer, areLast: boolean): void {
    if (areLast && !this.isOver) {
      this.#onLastHeaders({ block: Uint8Array.from(block), areOnly: !this.#hasBegun });
    }
    this.#hasBegun = true;
  }

  grant(windowBytes: number): number {
    return this.isOver ? 0 : this.#window.grant(windowBytes);
  }

  end(): void {
    this.isOver = true;
    this.#bell.ring();
  }

  ring(): void {
    if (this.#bell.isAwaited && this.#isDue()) this.#bell.ring();
  }

  /** Ends once all of the range is there. */
  async *items(signal: AbortSignal, onTaken: () => void): AsyncGenerator<Chunk> {
    const wake = () => this.#bell.ring();
    signal.addEventListener("abort", wake, { once: true });
    let offset = this.#range.start;
    try {
      while (offset < this.#range.end && !signal.aborted) {
        const block = this.isOver || this.#isDue() ? this.#blocks.shift() : undefined;
        if (block === undefined) {
          if (this.isOver) return;
          await this.#bell.rung();
          continue;
        }
        this.#handedAt = performance.now();
        offset = block.offset + block.filled;
        try {
          yield { offset: block.offset, bytes: block.memory.subarray(0, block.filled) };
        } finally {
          // Also when the reader leaves here: the last block of each lease was lost once.
          this.#memory.give(block.memory);
        }
        if (block.filled === block.size) this.#window.taken(block.filled);
        onTaken();
      }
    } finally {
      signal.removeEventListener("abort", wake);
      this.isOver = true;
      for (const { memory, filled } of this.#blocks.splice(0)) {
        this.#memory.give(memory);
        this.#onLost?.(filled);
      }
    }
  }

  /** Part of a block is handed over for the first bytes, and when they come slowly. */
  #isDue(): boolean {
    const [first] = this.#blocks;
    if (first === undefined) return false;
    if (first.filled === first.size || this.isWhole) return true;
    return performance.now() - this.#handedAt > holdMs;
  }

  #gather(bytes: Buffer, from: number, to: number): void {
    for (let at = from; at < to; ) {
      const block = this.#blockToFill();
      const part = Math.min(to - at, block.size - block.filled);
      bytes.copy(block.memory, block.filled, at, at + part);
      block.filled += part;
      at += part;
      this.#messages.took(part);
      // A full block is granted again once it was taken. Part of one never counts: its memory is
      // taken anyway.
      if (block.filled === block.size) this.#window.waits(block.filled);
    }
  }

  #blockToFill(): Block {
    const last = this.#blocks.at(-1);
    if (last !== undefined && last.filled < last.size) return last;
    const { next: offset } = this.#messages;
    const memory = this.#memory.take();
    const block = { memory, offset, size: memory.length - (offset % memory.length), filled: 0 };
    this.#blocks.push(block);
    return block;
  }
}
