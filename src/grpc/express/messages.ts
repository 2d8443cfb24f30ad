/**
 * Finds a range's bytes in the messages of ReadRange, without a Protobuf decoder: since offset and
 * length are known, there is one way in which every library begins the next message. Anything else
 * is unexpected.
 */

import { limits } from "../../limits.js";
import type { Range } from "../../schedule/range.js";
import { headerOf } from "../message-memory.js";
import { Unexpected } from "./frames.js";

/** gRPC's, before each message: whether it is compressed, and its length. */
export const prefixBytes = 5;

/** A message with its prefix. */
export function prefixed(message: Uint8Array): Buffer {
  const bytes = Buffer.alloc(prefixBytes + message.length);
  bytes.writeUInt32BE(message.length, 1);
  bytes.set(message, prefixBytes);
  return bytes;
}

export class MessageReader {
  /** Where in the file the byte lies that is due next. */
  next: number;
  /** Bytes of data that are still to come of this message. */
  dataLeft = 0;
  readonly #end: number;
  /** Bytes of this message's prefix and header that came. */
  #came = 0;
  #length = 0;
  #header: Uint8Array = new Uint8Array(0);

  constructor({ start, end }: Range) {
    this.next = start;
    this.#end = end;
  }

  /** Reads prefix and header bytes of `[from, to)`; gives where the data begin, or `to`. */
  head(bytes: Buffer, from: number, to: number): number {
    let at = from;
    while (at < to && this.dataLeft === 0) this.#take(bytes.readUInt8(at++));
    return at;
  }

  /** So many bytes of the data that are left have been taken. */
  took(bytes: number): void {
    this.next += bytes;
    this.dataLeft -= bytes;
  }

  #take(byte: number): void {
    const at = this.#came++;
    if (at < prefixBytes) {
      if (at === 0 && byte !== 0) throw new Unexpected("a compressed message");
      this.#length = this.#length * 256 + byte;
      if (at === prefixBytes - 1) this.#header = this.#headerDue();
      return;
    }
    if (byte !== this.#header[at - prefixBytes]) {
      throw new Unexpected(`a message that does not begin with byte ${this.next}`);
    }
    if (this.#came < prefixBytes + this.#header.length) return;
    this.dataLeft = this.#length - this.#header.length;
    this.#came = 0;
    this.#length = 0;
  }

  /** How a message of this length begins that brings the bytes which are due. */
  #headerDue(): Uint8Array {
    const offset = BigInt(this.next);
    const around = headerOf(offset, 0).length + 1;
    const mostBytes = Math.min(limits.messageBytes, this.#end - this.next);
    for (const lengthBytes of [1, 2, 3, 4]) {
      const dataBytes = this.#length - around - lengthBytes;
      if (dataBytes < 1 || dataBytes > mostBytes) continue;
      const header = headerOf(offset, dataBytes);
      if (header.length === around + lengthBytes) return header;
    }
    throw new Unexpected(`a message of ${this.#length} bytes at byte ${this.next}`);
  }
}
