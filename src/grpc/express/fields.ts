/**
 * Messages by a table of their fields. Protobuf-ES works such tables out of descriptors when it is
 * loaded, which takes longer than a small file; its reader and writer are used here all the same.
 * The ordinary way has the last word: what a table cannot read is unexpected.
 */

import { BinaryReader, BinaryWriter, WireType } from "@bufbuild/protobuf/wire";
import { Unexpected } from "./frames.js";

/** The types of a field, by their names in a .proto, and what stands for each here. */
interface Scalars {
  readonly string: string;
  readonly bytes: Uint8Array;
  readonly uint64: bigint;
  readonly uint32: number;
  readonly bool: boolean;
}

type Scalar = keyof Scalars;

/** The fields of a message, in the order of their numbers; `[fields]` is a repeated message. */
export interface Fields {
  readonly [name: string]: readonly [number: number, type: Scalar | readonly [Fields]];
}

/** A message with those fields; what did not come has the default of proto3. */
export type Message<Of extends Fields> = {
  readonly [Name in keyof Of]: Of[Name][1] extends Scalar
    ? Scalars[Of[Name][1]]
    : Of[Name][1] extends readonly [infer Each extends Fields]
      ? readonly Message<Each>[]
      : never;
};

const scalars: { readonly [Type in Scalar]: ScalarCodec<Scalars[Type]> } = {
  string: {
    wire: WireType.LengthDelimited,
    default: "",
    read: (from) => from.string(true),
    write: (to, value) => to.string(value),
  },
  bytes: {
    wire: WireType.LengthDelimited,
    default: new Uint8Array(0),
    read: (from) => from.bytes(),
    write: (to, value) => to.bytes(value),
  },
  uint64: {
    wire: WireType.Varint,
    default: 0n,
    read: (from) => BigInt(from.uint64()),
    write: (to, value) => to.uint64(value),
  },
  uint32: {
    wire: WireType.Varint,
    default: 0,
    read: (from) => from.uint32(),
    write: (to, value) => to.uint32(value),
  },
  bool: {
    wire: WireType.Varint,
    default: false,
    read: (from) => from.bool(),
    write: (to, value) => to.bool(value),
  },
};

interface ScalarCodec<Value> {
  readonly wire: WireType;
  readonly default: Value;
  read(from: BinaryReader): Value;
  write(to: BinaryWriter, value: Value): unknown;
}

/** A request as it travels, without fields of default values. None holds messages. */
export function encoded<Of extends Fields>(fields: Of, request: Partial<Message<Of>>): Uint8Array {
  const writer = new BinaryWriter();
  for (const [name, [number, type]] of Object.entries(fields)) {
    if (typeof type !== "string") throw new TypeError(`a request with messages: ${name}`);
    // What `Message` makes of that type.
    const codec = scalars[type] as ScalarCodec<unknown>;
    const value: unknown = request[name];
    if (value === undefined || value === codec.default) continue;
    codec.write(writer.tag(number, codec.wire), value);
  }
  return writer.finish();
}

/** The message in those bytes, of which it keeps views. Throws Unexpected. */
export function decoded<Of extends Fields>(fields: Of, bytes: Uint8Array): Message<Of> {
  try {
    // Every name is there, with a value of its type.
    return Object.fromEntries(valuesIn(fields, new BinaryReader(bytes))) as Message<Of>;
  } catch (cause) {
    if (cause instanceof Unexpected) throw cause;
    throw new Unexpected("a message that cannot be read", { cause });
  }
}

function valuesIn(fields: Fields, reader: BinaryReader): Map<string, unknown> {
  const values = new Map<string, unknown>();
  const names = new Map<number, string>();
  for (const [name, [number, type]] of Object.entries(fields)) {
    names.set(number, name);
    values.set(name, typeof type === "string" ? scalars[type].default : []);
  }
  while (reader.pos < reader.len) {
    const [number, wire] = reader.tag();
    const name = names.get(number);
    const type = name === undefined ? undefined : fields[name]?.[1];
    if (name === undefined || type === undefined) reader.skip(wire, number);
    else values.set(name, valueIn(type, wire, { reader, before: values.get(name) }));
  }
  return values;
}

function valueIn(
  type: Fields[string][1],
  wire: WireType,
  { reader, before }: { readonly reader: BinaryReader; readonly before: unknown },
): unknown {
  const due = typeof type === "string" ? scalars[type].wire : WireType.LengthDelimited;
  if (wire !== due) throw new Unexpected(`a field of another type, ${wire}`);
  if (typeof type === "string") return scalars[type].read(reader);
  return [...(Array.isArray(before) ? before : []), decoded(type[0], reader.bytes())];
}
