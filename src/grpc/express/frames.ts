/** Takes HTTP/2 frames (RFC 9113) apart where they arrive, and writes the few that we send. */

export const frameKind = {
  data: 0,
  headers: 1,
  reset: 3,
  settings: 4,
  pushPromise: 5,
  ping: 6,
  goAway: 7,
  windowUpdate: 8,
  continuation: 9,
} as const;

/** END_STREAM of DATA and HEADERS, ACK of SETTINGS and PING. */
export const endFlag = 1;
export const endHeadersFlag = 4;
const paddedFlag = 8;
const priorityFlag = 32;

const headBytes = 9;
/** What either side may send in one frame, and in all, before it is granted more. */
export const mostFrameBytes = 16_384;
export const firstWindowBytes = 65_535;
/** Frames without data, beyond those with data: a flood of them is no download. */
const mostQuietFrames = 1024;
/** A reset's reason: we do not want the rest. */
const cancelled = 8;

/** The server did what this client does not handle: the ordinary way looks into it. */
export class Unexpected extends Error {
  override readonly name = "Unexpected";
}

/** Where frames go. What it throws ends the reading for good. */
export interface FrameTaker {
  /** A DATA frame of so many bytes begins. */
  begin(stream: number, bytes: number): void;
  /** Bytes `[from, to)` are data; they stand until this returns. */
  data(stream: number, bytes: Buffer, from: number, to: number): void;
  /** A frame is over; `payload` is what was not data, and stands until this returns. */
  end(kind: number, flags: number, stream: number, payload: Buffer): void;
}

/**
 * Reads frames from parts of any size. Padding, priorities and header blocks in several frames,
 * which no gRPC server needs, are unexpected.
 */
export class FrameReader {
  readonly #taker: FrameTaker;
  readonly #head = Buffer.alloc(headBytes);
  /** Of one frame that is not data. */
  readonly #payload = Buffer.allocUnsafeSlow(mostFrameBytes);
  #headFilled = 0;
  #kind = -1;
  #flags = 0;
  #stream = 0;
  #length = 0;
  #left = 0;
  #quiet = 0;

  constructor(taker: FrameTaker) {
    this.#taker = taker;
  }

  /** Takes the first `length` of these bytes, wherever they end. */
  read(bytes: Buffer, length: number): void {
    let at = 0;
    while (at < length) {
      if (this.#headFilled < headBytes) {
        const to = Math.min(length, at + headBytes - this.#headFilled);
        this.#headFilled += bytes.copy(this.#head, this.#headFilled, at, to);
        at = to;
        if (this.#headFilled < headBytes) return;
        this.#begin();
      } else {
        const to = Math.min(length, at + this.#left);
        if (this.#kind === frameKind.data) this.#taker.data(this.#stream, bytes, at, to);
        else bytes.copy(this.#payload, this.#length - this.#left, at, to);
        this.#left -= to - at;
        at = to;
      }
      if (this.#left === 0) this.#end();
    }
  }

  #begin(): void {
    const isFirst = this.#kind === -1;
    this.#length = this.#head.readUIntBE(0, 3);
    this.#left = this.#length;
    this.#kind = this.#head.readUInt8(3);
    this.#flags = this.#head.readUInt8(4);
    this.#stream = this.#head.readUInt32BE(5) & 0x7fff_ffff;
    const isData = this.#kind === frameKind.data;
    this.#quiet = Math.max(0, this.#quiet + (isData && this.#length > 0 ? -1 : 1));
    const isTaken = isFirst ? this.#kind === frameKind.settings : this.#isTaken();
    if (!isTaken || this.#length > mostFrameBytes || this.#quiet > mostQuietFrames) {
      throw new Unexpected(`a frame of kind ${this.#kind} and ${this.#length} bytes`);
    }
    if (isData) this.#taker.begin(this.#stream, this.#length);
  }

  #isTaken(): boolean {
    switch (this.#kind) {
      case frameKind.data:
        return (this.#flags & paddedFlag) === 0;
      case frameKind.headers:
        return (this.#flags & (endHeadersFlag | paddedFlag | priorityFlag)) === endHeadersFlag;
      case frameKind.ping:
        return this.#length === 8;
      case frameKind.goAway:
        return this.#length >= 8;
      default:
        // Kinds that nobody knows are to be ignored (RFC 9113, 4.1).
        return this.#kind !== frameKind.pushPromise && this.#kind !== frameKind.continuation;
    }
  }

  #end(): void {
    this.#headFilled = 0;
    const payload = this.#payload.subarray(0, this.#kind === frameKind.data ? 0 : this.#length);
    this.#taker.end(this.#kind, this.#flags, this.#stream, payload);
  }
}

export function frame(kind: number, flags: number, stream: number, payload: Uint8Array): Buffer {
  const bytes = Buffer.alloc(headBytes + payload.length);
  bytes.writeUIntBE(payload.length, 0, 3);
  bytes.writeUInt8(kind, 3);
  bytes.writeUInt8(flags, 4);
  bytes.writeUInt32BE(stream, 5);
  bytes.set(payload, headBytes);
  return bytes;
}

export function windowUpdate(stream: number, bytes: number): Buffer {
  return frame(frameKind.windowUpdate, 0, stream, number32(bytes));
}

export function reset(stream: number): Buffer {
  return frame(frameKind.reset, 0, stream, number32(cancelled));
}

/**
 * What a client says first: no table of headers, no pushes, and a window of this size for all its
 * streams together.
 */
export function greeting(windowBytes: number): Buffer {
  const none = number32(0);
  const settings = [Buffer.from([0, 1]), none, Buffer.from([0, 2]), none];
  return Buffer.concat([
    Buffer.from("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"),
    frame(frameKind.settings, 0, 0, Buffer.concat(settings)),
    windowUpdate(0, windowBytes - firstWindowBytes),
  ]);
}

function number32(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(value);
  return bytes;
}
