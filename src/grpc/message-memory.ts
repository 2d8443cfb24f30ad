/**
 * The memory of a message that a read stream sends: gRPC's frame, Protobuf's header and the payload
 * side by side, so that what a file gave goes to the wire without a copy.
 */

import { limits } from "../limits.js";
import type { Chunk } from "../ports.js";
import { calls } from "./express/calls.js";

const {
  offset: [offsetNumber],
  data: [dataNumber],
} = calls.readRange.answer;
const varint = 0;
const lengthDelimited = 2;
/** A byte for compression, four for the length of what follows. */
const frameBytes = 5;
/** Where payloads begin: on a cache line, and what stands before them ends there. */
const payloadStart = 64;

/** One message after the other in the same memory. */
export class MessageMemory {
  readonly #memory: Uint8Array;
  #reachedBytes = 0;

  /** `chunkBytes`: the largest payload. */
  constructor(chunkBytes: number = limits.chunkBytes) {
    const bytes = payloadStart + chunkBytes;
    // V8 maps what could be resized by itself: pages that no chunk reaches never become real, and
    // all go back when it is collected, where malloc would keep them.
    const mapped = new ArrayBuffer(bytes, { maxByteLength: bytes });
    this.#memory = new Uint8Array(mapped, 0, bytes);
  }

  /** Real memory that it takes. */
  get reachedBytes(): number {
    return this.#reachedBytes;
  }

  /** Room for a payload. Its bytes are what was there before. */
  room(bytes: number): Uint8Array {
    const end = payloadStart + bytes;
    this.#reachedBytes = Math.max(this.#reachedBytes, end);
    return this.#memory.subarray(payloadStart, end);
  }

  /** A chunk as it travels, in this memory; it is copied only when it does not lie in the room. */
  framed({ offset, bytes }: Chunk): Uint8Array {
    const end = payloadStart + bytes.length;
    if (end > this.#memory.length) {
      throw new RangeError(`a chunk of ${bytes.length} bytes is beyond the bound`);
    }
    const isInRoom =
      bytes.buffer === this.#memory.buffer &&
      bytes.byteOffset === this.#memory.byteOffset + payloadStart;
    if (!isInRoom) this.room(bytes.length).set(bytes);
    const header = headerOf(BigInt(offset), bytes.length);
    const start = payloadStart - header.length - frameBytes;
    this.#memory.set(frameOf(header.length + bytes.length), start);
    this.#memory.set(header, start + frameBytes);
    return this.#memory.subarray(start, end);
  }
}

/** What gRPC puts before a message of so many bytes that is not compressed. */
function frameOf(bytes: number): Uint8Array {
  return Uint8Array.of(0, bytes >>> 24, bytes >>> 16, bytes >>> 8, bytes);
}

/** The header of a message, as Protobuf-ES writes it: fields with default values are left out. */
export function headerOf(offset: bigint, dataBytes: number): Uint8Array {
  const header: number[] = [];
  if (offset !== 0n) {
    header.push((offsetNumber << 3) | varint);
    let rest = offset;
    for (; rest > 127n; rest >>= 7n) header.push(Number(rest & 127n) | 128);
    header.push(Number(rest));
  }
  if (dataBytes > 0) {
    header.push((dataNumber << 3) | lengthDelimited);
    let rest = dataBytes;
    for (; rest > 127; rest >>>= 7) header.push((rest & 127) | 128);
    header.push(rest);
  }
  return Uint8Array.from(header);
}
