/**
 * A connection to a replica for reads alone: HTTP/2 in plain text, without asking first. It knows
 * no status: an answer is over or it is not, and anything unexpected ends the connection.
 */

import { connect, type Socket } from "node:net";
import { limits } from "../../limits.js";
import type { Chunk } from "../../ports.js";
import type { Range } from "../../schedule/range.js";
import { ExpressRead } from "./express-read.js";
import {
  endFlag,
  endHeadersFlag,
  FrameReader,
  type FrameTaker,
  firstWindowBytes,
  frame,
  frameKind,
  greeting,
  mostFrameBytes,
  reset,
  Unexpected,
  windowUpdate,
} from "./frames.js";
import type { LastHeaders } from "./headers.js";
import { ReadMemory } from "./read-memory.js";

/** What a read asks for, as it goes over the wire. */
export interface ExpressRequest {
  readonly headers: Uint8Array;
  readonly message: Uint8Array;
  readonly range: Range;
  /** Told of the headers that end the answer, if it ends with any. */
  readonly onLastHeaders: (last: LastHeaders) => void;
}

/** Answers that wait for a server which does not read what we send. */
const mostWaitingBytes = 64 * 1024;
/** Replicas have been reached before: who cannot be within this is asked the ordinary way. */
const connectMs = 3_000;
/** What connections share unless they are told otherwise: a thread reads one socket at a time. */
const sharedMemory = new ReadMemory();

export class ExpressConnection implements FrameTaker {
  /** Whether it takes no more reads. */
  isSpent = false;
  readonly #socket: Socket;
  readonly #memory: ReadMemory;
  readonly #frames = new FrameReader(this);
  /** A read that was left stays until its server has ended it too. */
  readonly #reads = new Map<number, ExpressRead>();
  /** Only who reads keeps the process alive. */
  #running = 0;
  #nextStream = 1;
  /** Since the server was last granted as much again. */
  #arrivedBytes = 0;
  #arrivedAt = performance.now();
  /** Requests take no more of a connection than every server grants at first. */
  #requestBytesLeft = firstWindowBytes;

  constructor(host: string, port: number, memory = sharedMemory) {
    this.#memory = memory;
    memory.join();
    const { buffer } = memory;
    const callback = (length: number) => this.#read(buffer, length);
    this.#socket = connect({ host, port, noDelay: true, onread: { buffer, callback } })
      .setTimeout(connectMs, () => this.close())
      .on("connect", () => this.#socket.setTimeout(0))
      .on("error", () => this.close())
      .on("end", () => this.close())
      .on("close", () => this.close())
      .once("close", () => memory.leave())
      .unref();
    this.#socket.write(greeting(limits.windowBytes));
  }

  /** The range's bytes in order, as far as they come. It ends early, whatever the reason. */
  async *read(request: ExpressRequest, signal: AbortSignal): AsyncGenerator<Chunk> {
    const { headers, message, range, onLastHeaders } = request;
    this.#requestBytesLeft -= message.length;
    if (this.#requestBytesLeft < 0 || headers.length > mostFrameBytes) this.#spend();
    if (this.isSpent) return;
    const stream = this.#nextStream;
    this.#nextStream += 2;
    const read = new ExpressRead({ range, onLastHeaders, memory: this.#memory });
    this.#reads.set(stream, read);
    this.#socket.write(frame(frameKind.headers, endHeadersFlag, stream, headers));
    this.#socket.write(frame(frameKind.data, endFlag, stream, message));
    const askedAt = performance.now();
    this.#running++;
    this.#socket.ref();
    try {
      yield* read.chunks(signal, () => this.#grant(stream, read));
    } finally {
      if (--this.#running === 0) this.#socket.unref();
      if (this.#reads.has(stream) && !read.isWhole) this.#socket.write(reset(stream));
      // A path that froze shall not hold the next read as well.
      const silentMs = performance.now() - Math.max(askedAt, this.#arrivedAt);
      if (silentMs > limits.idleMs && !read.isWhole) this.close();
      else if (this.isSpent) this.#spend();
    }
  }

  /** Breaks it; what is being read ends early. */
  close(): void {
    this.isSpent = true;
    this.#socket.destroy();
    for (const read of this.#reads.values()) read.end();
  }

  begin(stream: number, bytes: number): void {
    this.#arrivedBytes += bytes;
    this.#readOf(stream).begin(bytes);
  }

  data(stream: number, bytes: Buffer, from: number, to: number): void {
    this.#readOf(stream).data(bytes, from, to);
  }

  end(kind: number, flags: number, stream: number, payload: Buffer): void {
    const isFlagged = (flags & endFlag) !== 0;
    const isOfStream = kind === frameKind.data || kind === frameKind.headers;
    if (kind === frameKind.headers) this.#reads.get(stream)?.headers(payload, isFlagged);
    if (kind === frameKind.reset || (isOfStream && isFlagged)) {
      this.#reads.get(stream)?.end();
      this.#reads.delete(stream);
    }
    if (kind === frameKind.settings && !isFlagged) this.#answer(kind, new Uint8Array(0));
    if (kind === frameKind.ping && !isFlagged) this.#answer(kind, payload);
    if (kind === frameKind.goAway) this.#goneAway(payload.readUInt32BE(0));
  }

  #read(buffer: Buffer, length: number): boolean {
    try {
      this.#frames.read(buffer, length);
    } catch (error) {
      if (!(error instanceof Unexpected)) throw error;
      this.close();
      return false;
    }
    this.#arrivedAt = performance.now();
    // What waits is bounded for each read; one that nobody takes from shall not stop the others.
    if (this.#arrivedBytes >= limits.windowBytes / 8) {
      this.#socket.write(windowUpdate(0, this.#arrivedBytes));
      this.#arrivedBytes = 0;
    }
    for (const [stream, read] of this.#reads) {
      this.#grant(stream, read);
      read.ring();
    }
    return true;
  }

  #grant(stream: number, read: ExpressRead): void {
    const bytes = read.grant();
    if (bytes > 0) this.#socket.write(windowUpdate(stream, bytes));
  }

  #readOf(stream: number): ExpressRead {
    const read = this.#reads.get(stream);
    if (read === undefined) throw new Unexpected(`data of stream ${stream}`);
    return read;
  }

  #answer(kind: number, payload: Uint8Array): void {
    this.#socket.write(frame(kind, endFlag, 0, payload));
    if (this.#socket.writableLength > mostWaitingBytes) throw new Unexpected("nobody reads");
  }

  /** Reads up to this one are still answered; the next takes another connection. */
  #goneAway(lastStream: number): void {
    for (const [stream, read] of this.#reads) if (stream > lastStream) read.end();
    this.#spend();
  }

  /** Takes no more reads, and ends with the last one. */
  #spend(): void {
    this.isSpent = true;
    if ([...this.#reads.values()].every((read) => read.isOver)) this.close();
  }
}
