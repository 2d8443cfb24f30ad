/**
 * Messages by a table of their fields. Protobuf-ES works its tables out of descriptors when it is
 * loaded, which takes longer than a small file; it has the last word, on the ordinary way, so what
 * a table does not know how to read is unexpected here. A field of another number is passed over.
 */

import { isUtf8 } from "node:buffer";
import { Unexpected } from "./frames.js";

/** What a field may hold, and what stands for it here. */
interface Kinds {
  readonly text: string;
  /** An uint64. */
  readonly whole: bigint;
  /** An uint32. */
  readonly count: number;
  readonly bytes: Uint8Array;
}

/** The fields of a message, in the order of their numbers; `[fields]` is a repeated message. */
export interface Fields {
  readonly [name: string]: readonly [number: number, kind: keyof Kinds | readonly [Fields]];
}

/** A message with those fields; what did not come has the default of proto3. */
export type Message<Of extends Fields> = {
  readonly [Name in keyof Of]: Of[Name][1] extends keyof Kinds
    ? Kinds[Of[Name][1]]
    : Of[Name][1] extends readonly [infer Each extends Fields]
      ? readonly Message<Each>[]
      : never;
};

type Value = Kinds[keyof Kinds] | readonly unknown[];

const varint = 0;
const fixed64 = 1;
const lengthDelimited = 2;
const fixed32 = 5;
const mostVarintBytes = 10;
/** Of tags and lengths. */
const mostNumber = 2n ** 32n - 1n;

/** A request as it travels, without fields of default values. None holds bytes or messages. */
export function encoded<Of extends Fields>(fields: Of, request: Partial<Message<Of>>): Buffer {
  const values: Readonly<Record<string, unknown>> = request;
  const parts: Uint8Array[] = [];
  for (const [name, [number]] of Object.entries(fields)) {
    const value = values[name] ?? "";
    if (typeof value === "string") {
      const text = Buffer.from(value);
      if (text.length === 0) continue;
      parts.push(varintOf(tag(number, lengthDelimited)), varintOf(BigInt(text.length)), text);
    } else if (typeof value === "bigint" || typeof value === "number") {
      if (BigInt(value) === 0n) continue;
      parts.push(varintOf(tag(number, varint)), varintOf(BigInt(value)));
    } else throw new TypeError(`no request has such a field as ${name}`);
  }
  return Buffer.concat(parts);
}

/** The message in those bytes, of which it keeps views. Throws Unexpected. */
export function decoded<Of extends Fields>(fields: Of, bytes: Uint8Array): Message<Of> {
  const message = new Map<string, Value>();
  const byNumber = new Map<bigint, [string, Fields[string][1]]>();
  for (const [name, [number, kind]] of Object.entries(fields)) {
    byNumber.set(BigInt(number), [name, kind]);
    message.set(name, defaultOf(kind));
  }
  const input = new Input(bytes);
  while (!input.isOver) {
    const head = input.varint(mostNumber);
    const wire = Number(head & 7n);
    const [name, kind] = byNumber.get(head >> 3n) ?? [];
    if (head >> 3n === 0n) throw new Unexpected("a field of number 0");
    if (name === undefined || kind === undefined) input.pass(wire);
    else message.set(name, read(kind, wire, input, message.get(name)));
  }
  // Every name is there, with a value of its kind.
  return Object.fromEntries(message) as Message<Of>;
}

function defaultOf(kind: Fields[string][1]): Value {
  switch (kind) {
    case "text":
      return "";
    case "whole":
      return 0n;
    case "count":
      return 0;
    case "bytes":
      return new Uint8Array(0);
    default:
      return [];
  }
}

function read(kind: Fields[string][1], wire: number, input: Input, before?: Value): Value {
  if (wire !== (kind === "whole" || kind === "count" ? varint : lengthDelimited)) {
    throw new Unexpected(`a field of another type, ${wire}`);
  }
  switch (kind) {
    case "text":
      return textOf(input.bytes());
    case "whole":
      return BigInt.asUintN(64, input.varint());
    case "count":
      return Number(BigInt.asUintN(32, input.varint()));
    case "bytes":
      return input.bytes();
    default:
      return [...(Array.isArray(before) ? before : []), decoded(kind[0], input.bytes())];
  }
}

function textOf(bytes: Uint8Array): string {
  if (!isUtf8(bytes)) throw new Unexpected("a text that is none");
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString("utf8");
}

function tag(number: number, wire: number): bigint {
  return BigInt((number << 3) | wire);
}

function varintOf(value: bigint): Uint8Array {
  const bytes: number[] = [];
  let rest = value;
  for (; rest > 127n; rest >>= 7n) bytes.push(Number(rest & 127n) | 128);
  bytes.push(Number(rest));
  return Uint8Array.from(bytes);
}

class Input {
  readonly #bytes: Uint8Array;
  #at = 0;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
  }

  get isOver(): boolean {
    return this.#at === this.#bytes.length;
  }

  varint(most?: bigint): bigint {
    let value = 0n;
    for (let count = 0; count < mostVarintBytes; count++) {
      const byte = this.#bytes[this.#at++];
      if (byte === undefined) throw new Unexpected("a message that ends in a number");
      value |= BigInt(byte & 127) << BigInt(7 * count);
      if (most !== undefined && value > most) break;
      if (byte < 128) return value;
    }
    throw new Unexpected("a number that is too large");
  }

  bytes(): Uint8Array {
    return this.#take(Number(this.varint(mostNumber)));
  }

  /** Passes over a value of that type. */
  pass(wire: number): void {
    if (wire === varint) this.varint();
    else if (wire === fixed64) this.#take(8);
    else if (wire === lengthDelimited) this.bytes();
    else if (wire === fixed32) this.#take(4);
    else throw new Unexpected(`a field of type ${wire}`);
  }

  #take(length: number): Uint8Array {
    if (length > this.#bytes.length - this.#at) throw new Unexpected("a message that ends early");
    this.#at += length;
    return this.#bytes.subarray(this.#at - length, this.#at);
  }
}
