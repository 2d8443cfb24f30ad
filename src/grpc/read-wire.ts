/**
 * Sends the messages of one read on its HTTP/2 stream: one on the wire, and one behind it that is
 * being made. gRPC's own way puts each message into new memory, and collecting that costs more than
 * all the rest.
 */

import type { Writable } from "node:stream";
import { ServerError, Status } from "nice-grpc";
import { limits } from "../limits.js";
import type { Chunk } from "../ports.js";
import { MessageMemory } from "./message-memory.js";

/** The memory of everything that waits to be sent, over all virtual servers of a process. */
export class SendMemory {
  readonly #spare: MessageMemory[] = [];
  #spareBytes = 0;
  /** Reads that run now. */
  reads = 0;

  /** What a message of one of the reads may hold, when each of them has two. */
  get share(): number {
    const share = Math.floor(limits.sendBytes / (2 * Math.max(1, this.reads)));
    return Math.max(limits.firstChunkBytes, share);
  }

  /** For a message; reads hand it on to each other. */
  take(): MessageMemory {
    const memory = this.#spare.pop();
    this.#spareBytes -= memory?.reachedBytes ?? 0;
    return memory ?? new MessageMemory();
  }

  give(memory: MessageMemory): void {
    const bytes = memory.reachedBytes;
    if (bytes > limits.sendBytes - this.#spareBytes) return;
    this.#spare.push(memory);
    this.#spareBytes += bytes;
  }

  /** Keeps none for reads that may never come. */
  forget(): void {
    this.#spare.length = 0;
    this.#spareBytes = 0;
  }
}

/** What is needed of an HTTP/2 stream. */
export type WireStream = Pick<Writable, "destroyed" | "writableEnded"> & {
  write(bytes: Uint8Array, onSent: (error?: Error | null) => void): unknown;
};

/** What a read needs to be sent. */
export interface ReadWireOptions {
  readonly memory: SendMemory;
  readonly signal: AbortSignal;
  /** Told of each message that the client took. */
  readonly onTaken: () => void;
}

/** The way of one read to its client. */
export class ReadWire {
  readonly #stream: WireStream;
  readonly #options: ReadWireOptions;
  /** What the next message is made in; the one before it may still be on the wire. */
  #memory: MessageMemory;
  #other: MessageMemory | undefined;
  /** Whether the last message was sent, once that is known. */
  #sent: Promise<boolean> = Promise.resolve(true);

  constructor(stream: WireStream, options: ReadWireOptions) {
    this.#stream = stream;
    this.#options = options;
    this.#memory = options.memory.take();
  }

  /** Room for the payload of the next message. */
  room(bytes: number): Uint8Array {
    return this.#memory.room(bytes);
  }

  /** Sends a chunk; resolves once there is room for the next one. Rejects when the client left. */
  async send(chunk: Chunk): Promise<void> {
    const before = this.#sent;
    this.#sent = this.#write(this.#memory.framed(chunk));
    const next = this.#other ?? this.#options.memory.take();
    this.#other = this.#memory;
    this.#memory = next;
    if (!(await before)) throw new ServerError(Status.CANCELLED, "the client left");
  }

  /** The memory goes to other reads once nothing of it is on the wire. */
  end(): void {
    const { memory } = this.#options;
    void this.#sent.then((isSent) => {
      // Of a message that was cut off, a part may be in the socket's hands for as long as it lives.
      if (!isSent) return;
      memory.give(this.#memory);
      if (this.#other !== undefined) memory.give(this.#other);
    });
  }

  #write(message: Uint8Array): Promise<boolean> {
    const stream = this.#stream;
    const { signal, onTaken } = this.#options;
    if (signal.aborted || stream.destroyed || stream.writableEnded) return Promise.resolve(false);
    return new Promise((resolve) => {
      // Of a stream that was reset, no word comes as long as its connection takes nothing.
      const leave = () => resolve(false);
      signal.addEventListener("abort", leave, { once: true });
      stream.write(message, (error) => {
        signal.removeEventListener("abort", leave);
        if (!error && !signal.aborted) onTaken();
        resolve(!error);
      });
    });
  }
}
