/**
 * A small HTTP/2 client (RFC 9113) for gRPC calls: one connection, several streams. Calls go out
 * with the connection's first bytes, before the server has said anything. It interprets no status:
 * it passes on the headers that end an answer, and anything unexpected ends the connection.
 *
 * Bytes go from the frame reader to a stream (a read, or another answer), and wait there for its
 * reader, in memory that connections share. Windows bound how much that can be.
 */

import { connect, type Socket } from "node:net";
import { limits } from "../../limits.js";
import type { Chunk, ReadRequest } from "../../ports.js";
import type { Route } from "../route.js";
import { ExpressAnswer } from "./express-answer.js";
import { ExpressRead } from "./express-read.js";
import type { ExpressStream } from "./express-stream.js";
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
import type { ReadMemory } from "./read-memory.js";
import { connectTls } from "./tls-socket.js";
import { WindowShare } from "./window-share.js";

/** A call, as it goes over the wire. */
export interface ExpressRequest {
  readonly headers: Uint8Array;
  readonly message: Uint8Array;
  /** Told of the headers that end the answer, if it ends with any. */
  readonly onLastHeaders: (last: LastHeaders) => void;
}

/** Our replies to settings and pings that may wait for a server which does not read them. */
const mostWaitingBytes = 64 * 1024;
/** A server that cannot be reached within this is asked the ordinary way. */
const connectMs = 3_000;

export class ExpressConnection implements FrameTaker {
  /** Whether it takes no more calls. */
  isSpent = false;
  readonly #socket: Socket;
  readonly #memory: ReadMemory;
  readonly #frames = new FrameReader(this);
  /** A stream that its reader left stays here until the server has ended it, too. */
  readonly #streams = new Map<number, ExpressStream<unknown>>();
  /** Calls that run: only they keep the process alive. */
  #running = 0;
  #nextStream = 1;
  /** Bytes that arrived since the connection's window was last granted again. */
  #arrivedBytes = 0;
  #arrivedAt = performance.now();
  readonly #share: WindowShare;
  /** Requests take no more of a connection than every server grants at first. */
  #requestBytesLeft = firstWindowBytes;

  /** `memory`: may be shared by any connections of a thread, which reads one socket at a time. */
  constructor({ host, port, tls }: Omit<Route, "token">, memory: ReadMemory) {
    this.#memory = memory;
    this.#share = new WindowShare(memory.windows);
    const startedAt = performance.now();
    const { buffer } = memory;
    const callback = (length: number) => this.#read(buffer, length);
    const onread = { buffer, callback };
    this.#socket =
      tls === undefined
        ? connect({ host, port, noDelay: true, onread })
        : connectTls({ host, port, tls }, onread);
    memory.join();
    this.#socket
      .setTimeout(connectMs, () => this.close())
      .once("connect", () => this.#share.answered(performance.now() - startedAt))
      .once(tls === undefined ? "connect" : "secureConnect", () => this.#socket.setTimeout(0))
      .on("error", () => this.close())
      .on("end", () => this.close())
      .on("close", () => this.close())
      .once("close", () => this.#leave())
      .unref();
    this.#socket.write(greeting(limits.windowBytes));
  }

  /** The range's bytes in order, as far as they come. It ends early, whatever the reason. */
  read(
    { range, onLost, ...request }: ExpressRequest & Pick<ReadRequest, "range" | "onLost">,
    signal: AbortSignal,
  ): AsyncGenerator<Chunk> {
    const { onLastHeaders } = request;
    const read = new ExpressRead({ range, onLastHeaders, onLost, memory: this.#memory });
    return this.#call(request, read, signal);
  }

  /** The messages of an answer, as far as they come. It ends early, whatever the reason. */
  ask(request: ExpressRequest, signal: AbortSignal): AsyncGenerator<Uint8Array> {
    return this.#call(request, new ExpressAnswer(request.onLastHeaders), signal);
  }

  async *#call<Item>(
    { headers, message }: ExpressRequest,
    answer: ExpressStream<Item>,
    signal: AbortSignal,
  ): AsyncGenerator<Item> {
    this.#requestBytesLeft -= message.length;
    if (this.#requestBytesLeft < 0 || headers.length > mostFrameBytes) this.#spend();
    if (this.isSpent) return;
    const stream = this.#nextStream;
    this.#nextStream += 2;
    this.#streams.set(stream, answer);
    this.#memory.windows.readBegins();
    const head = frame(frameKind.headers, endHeadersFlag, stream, headers);
    const granted = windowUpdate(stream, answer.grant(this.#share.windowBytes));
    const asked = frame(frameKind.data, endFlag, stream, message);
    this.#socket.write(Buffer.concat([head, granted, asked]));
    const askedAt = performance.now();
    this.#running++;
    this.#socket.ref();
    try {
      yield* answer.items(signal, () => this.#grant(stream, answer));
    } finally {
      if (--this.#running === 0) this.#socket.unref();
      this.#memory.windows.readEnds();
      const isCutShort = this.#streams.has(stream) && !answer.isWhole;
      if (isCutShort) this.#socket.write(reset(stream));
      // Where the path is frozen, the next call needs a new connection.
      const silentMs = performance.now() - Math.max(askedAt, this.#arrivedAt);
      if (silentMs > limits.idleMs && isCutShort) this.close();
      else if (this.isSpent) this.#spend();
    }
  }

  /** Breaks it; what is being read ends early. */
  close(): void {
    this.isSpent = true;
    this.#socket.destroy();
    for (const answer of this.#streams.values()) answer.end();
  }

  begin(stream: number, bytes: number): void {
    this.#arrivedBytes += bytes;
    this.#streamOf(stream).begin(bytes);
  }

  data(stream: number, bytes: Buffer, from: number, to: number): void {
    this.#streamOf(stream).data(bytes, from, to);
  }

  end(kind: number, flags: number, stream: number, payload: Buffer): void {
    const isFlagged = (flags & endFlag) !== 0;
    const isOfStream = kind === frameKind.data || kind === frameKind.headers;
    if (kind === frameKind.headers) this.#streams.get(stream)?.headers(payload, isFlagged);
    if (kind === frameKind.reset || (isOfStream && isFlagged)) {
      this.#streams.get(stream)?.end();
      this.#streams.delete(stream);
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
    this.#share.came(length, this.#arrivedAt);
    // Granted though some of it may wait: streams are bounded by themselves, and must not block
    // each other.
    if (this.#arrivedBytes >= limits.windowBytes / 4) {
      this.#socket.write(windowUpdate(0, this.#arrivedBytes));
      this.#arrivedBytes = 0;
    }
    for (const [stream, answer] of this.#streams) {
      this.#grant(stream, answer);
      answer.ring();
    }
    return true;
  }

  #leave(): void {
    this.#share.leave();
    this.#memory.leave();
  }

  #grant(stream: number, answer: ExpressStream<unknown>): void {
    const bytes = answer.grant(this.#share.windowBytes);
    if (bytes > 0) this.#socket.write(windowUpdate(stream, bytes));
  }

  #streamOf(stream: number): ExpressStream<unknown> {
    const answer = this.#streams.get(stream);
    if (answer === undefined) throw new Unexpected(`data of stream ${stream}`);
    return answer;
  }

  #answer(kind: number, payload: Uint8Array): void {
    this.#socket.write(frame(kind, endFlag, 0, payload));
    if (this.#socket.writableLength > mostWaitingBytes) throw new Unexpected("nobody reads");
  }

  /** Calls up to `lastStream` are still answered; the next call takes another connection. */
  #goneAway(lastStream: number): void {
    for (const [stream, answer] of this.#streams) if (stream > lastStream) answer.end();
    this.#spend();
  }

  /** Takes no more calls, and closes after the last one. */
  #spend(): void {
    this.isSpent = true;
    if ([...this.#streams.values()].every((answer) => answer.isOver)) this.close();
  }
}
