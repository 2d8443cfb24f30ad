/**
 * One ReadRangeResponse after the other in the same memory: header and payload side by side, so
 * that what a file gave goes to the wire without a copy of ours.
 */

import { ReadRangeResponseSchema } from "../../gen/quorate/v1/replica_pb.js";
import { limits } from "../limits.js";
import type { Chunk } from "../ports.js";

const { offset: offsetField, data: dataField } = ReadRangeResponseSchema.field;
const varint = 0;
const lengthDelimited = 2;
/** Two tags of a byte each, a 64-bit number in at most 10 bytes, a 32-bit one in at most 5. */
const mostHeaderBytes = 17;

/**
 * The message that a read stream sends next. It stands until it was taken, which is when it is
 * written to the wire; only then may the next one be made in its place.
 */
export class ReadMessage {
  readonly $typeName = ReadRangeResponseSchema.typeName;
  offset = 0n;
  data = new Uint8Array(0);
  /** Resizable, because nice-grpc copies whatever is not the whole of an ArrayBuffer. */
  readonly #memory: ArrayBuffer;
  /** What the header in memory says. */
  #roomOffset = 0;
  #isTaken = true;
  #onTaken: (() => void) | undefined;

  /** `chunkBytes`: the largest payload. */
  constructor(chunkBytes: number = limits.chunkBytes) {
    this.#memory = new ArrayBuffer(0, { maxByteLength: mostHeaderBytes + chunkBytes });
  }

  /** Room for a payload, behind its header. Its bytes are what was there before. */
  room(offset: number, bytes: number): Uint8Array {
    const head = headerOf(BigInt(offset), bytes);
    this.#roomOffset = offset;
    this.#memory.resize(head.length + bytes);
    new Uint8Array(this.#memory).set(head);
    return new Uint8Array(this.#memory, head.length, bytes);
  }

  /** Makes a chunk the next message, copied only when it does not lie in the room. */
  fill({ offset, bytes }: Chunk): this {
    const isInRoom =
      bytes.buffer === this.#memory &&
      bytes.byteOffset + bytes.byteLength === this.#memory.byteLength &&
      offset === this.#roomOffset &&
      bytes.byteOffset === headerOf(BigInt(offset), bytes.length).length;
    if (isInRoom) this.data = new Uint8Array(this.#memory, bytes.byteOffset, bytes.length);
    else this.#copy(offset, bytes);
    this.offset = BigInt(offset);
    this.#isTaken = false;
    return this;
  }

  /** The bytes for the wire; the memory is free again once they were copied there. */
  take(): ArrayBuffer {
    this.#isTaken = true;
    this.#onTaken?.();
    return this.#memory;
  }

  /** Resolves once the message was taken; rejects with the signal's reason if that comes first. */
  async taken(signal: AbortSignal): Promise<void> {
    signal.throwIfAborted();
    if (this.#isTaken) return;
    await new Promise<void>((resolve, reject) => {
      const end = () => reject(signal.reason);
      signal.addEventListener("abort", end, { once: true });
      this.#onTaken = () => {
        signal.removeEventListener("abort", end);
        this.#onTaken = undefined;
        resolve();
      };
    });
  }

  #copy(offset: number, bytes: Uint8Array): void {
    // Bytes that lie elsewhere in this memory would move under our hands while it is resized.
    const source = bytes.buffer === this.#memory ? Uint8Array.from(bytes) : bytes;
    if (mostHeaderBytes + source.length > this.#memory.maxByteLength) {
      throw new RangeError(`a chunk of ${source.length} bytes is beyond the bound`);
    }
    this.data = new Uint8Array(0);
    const room = this.room(offset, source.length);
    room.set(source);
    this.data = new Uint8Array(room.buffer, room.byteOffset, room.length) as typeof this.data;
  }
}

/** The header of a message, as Protobuf-ES writes it: fields with default values are left out. */
export function headerOf(offset: bigint, dataBytes: number): Uint8Array {
  const header: number[] = [];
  if (offset !== 0n) {
    header.push((offsetField.number << 3) | varint);
    let rest = offset;
    for (; rest > 127n; rest >>= 7n) header.push(Number(rest & 127n) | 128);
    header.push(Number(rest));
  }
  if (dataBytes > 0) {
    header.push((dataField.number << 3) | lengthDelimited);
    let rest = dataBytes;
    for (; rest > 127; rest >>>= 7) header.push((rest & 127) | 128);
    header.push(rest);
  }
  return Uint8Array.from(header);
}
