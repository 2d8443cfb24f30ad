/** Reads from a virtual server and throws away what comes, for less than any client could. */

import { connect, type Socket } from "node:net";
import { requestOf } from "../test/support/raw-grpc.js";
import { endHeaders, endStream, frame, frames, header } from "../test/support/raw-http2.js";

/** What is read over one connection. */
export interface Reading {
  readonly port: number;
  /** Bytes of the one file that the server serves. */
  readonly start: number;
  readonly end: number;
  /** Reads at once, and bytes of each. */
  readonly reads: number;
  readonly readBytes: number;
}

const windowBytes = 8 * 1024 * 1024;
const windowUpdate = 8;
const headBytes = 9;
const acknowledged = 1;
const readHeaders = Buffer.concat([
  header(":method", "POST"),
  header(":scheme", "http"),
  header(":authority", "localhost"),
  header(":path", "/quorate.v1.ReplicaService/ReadRange"),
  header("content-type", "application/grpc"),
  header("te", "trailers"),
]);

/** Reads it all; rejects when less came, or a call or the connection was ended. */
export function drink(reading: Reading): Promise<void> {
  return new Promise((resolve, reject) => {
    const drinker = new Drinker(reading, (error) => {
      if (error === undefined) resolve();
      else reject(error);
    });
    drinker.begin();
  });
}

class Drinker {
  readonly #reading: Reading;
  readonly #onEnd: (error?: Error) => void;
  readonly #socket: Socket;
  /** The frame head that is being read, how much of it is there, and what follows it. */
  readonly #head = Buffer.alloc(headBytes);
  #headLength = 0;
  #left = 0;
  /** What came since the server was last told that there is room again, by stream; 0 is all. */
  readonly #taken = new Map<number, number>();
  #offset: number;
  #bytes = 0;
  #open = 0;
  #nextStream = 1;

  constructor(reading: Reading, onEnd: (error?: Error) => void) {
    this.#reading = reading;
    this.#onEnd = onEnd;
    this.#offset = reading.start;
    this.#socket = connect({
      port: reading.port,
      host: "127.0.0.1",
      onread: {
        buffer: Buffer.alloc(1024 * 1024),
        callback: (length, buffer) => this.#came(buffer as Buffer, length),
      },
    });
    this.#socket.setNoDelay(true);
    this.#socket.on("error", onEnd);
    this.#socket.on("close", () => onEnd(new Error(`port ${reading.port} closed`)));
  }

  begin(): void {
    this.#socket.write("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n");
    const window = Buffer.alloc(6);
    window.writeUInt16BE(4, 0);
    window.writeUInt32BE(windowBytes, 2);
    this.#socket.write(frame(frames.settings, 0, 0, window));
    this.#giveRoom(0, windowBytes * this.#reading.reads);
    for (let read = 0; read < this.#reading.reads; read++) this.#ask();
  }

  /** Asks for the next range, while there is one. */
  #ask(): void {
    const { end, readBytes } = this.#reading;
    const length = Math.min(readBytes, end - this.#offset);
    if (length === 0) return;
    const stream = this.#nextStream;
    this.#socket.write(frame(frames.headers, endHeaders, stream, readHeaders));
    const request = requestOf({ offset: this.#offset, length });
    this.#socket.write(frame(frames.data, endStream, stream, request));
    this.#offset += length;
    this.#nextStream += 2;
    this.#open++;
  }

  #came(buffer: Buffer, length: number): boolean {
    for (let at = 0; at < length; ) {
      if (this.#left > 0) {
        const skipped = Math.min(this.#left, length - at);
        this.#left -= skipped;
        at += skipped;
      } else {
        const copied = buffer.copy(this.#head, this.#headLength, at, length);
        at += copied;
        this.#headLength += copied;
        if (this.#headLength === headBytes) this.#begun();
      }
    }
    return true;
  }

  /** A frame begins; nothing within it matters. */
  #begun(): void {
    this.#headLength = 0;
    this.#left = this.#head.readUIntBE(0, 3);
    const type = this.#head[3];
    const flags = this.#head[4] ?? 0;
    const stream = this.#head.readUInt32BE(5);
    if (type === frames.data) {
      this.#bytes += this.#left;
      this.#take(0);
      this.#take(stream);
    } else if (type === frames.settings && (flags & acknowledged) === 0) {
      this.#socket.write(frame(frames.settings, acknowledged, 0));
    } else if (type === frames.reset) this.#onEnd(new Error(`call ${stream} was reset`));
    if ((flags & endStream) !== 0 && (type === frames.headers || type === frames.data)) {
      this.#over(stream);
    }
  }

  #take(stream: number): void {
    const taken = (this.#taken.get(stream) ?? 0) + this.#left;
    const isMuch = taken >= windowBytes / 4;
    this.#taken.set(stream, isMuch ? 0 : taken);
    if (isMuch) this.#giveRoom(stream, taken);
  }

  #giveRoom(stream: number, bytes: number): void {
    const room = Buffer.alloc(4);
    room.writeUInt32BE(bytes, 0);
    this.#socket.write(frame(windowUpdate, 0, stream, room));
  }

  #over(stream: number): void {
    this.#taken.delete(stream);
    this.#open--;
    this.#ask();
    if (this.#open > 0) return;
    const { start, end, port } = this.#reading;
    this.#onEnd(this.#bytes < end - start ? new Error(`port ${port} sent too little`) : undefined);
    this.#socket.destroy();
  }
}
