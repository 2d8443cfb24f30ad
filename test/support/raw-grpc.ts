/** gRPC by hand, for clients that keep none of its rules. */

/** The body of a request for a range (or, without one, for anything that needs only a name). */
export function requestOf({
  name = "",
  offset = 0,
  length = 0,
}: {
  readonly name?: string | Buffer;
  readonly offset?: number | bigint;
  readonly length?: number | bigint;
}): Buffer {
  const text = Buffer.from(name);
  const fields: number[] = [];
  if (text.length > 0) fields.push(0x0a, ...varint(text.length), ...text);
  if (BigInt(offset) !== 0n) fields.push(0x10, ...varint(offset));
  if (BigInt(length) !== 0n) fields.push(0x18, ...varint(length));
  return framed(Buffer.from(fields));
}

/** A message as it travels: a byte for compression, four for the length. */
export function framed(message: Buffer, flag = 0): Buffer {
  const head = Buffer.alloc(5);
  head.writeUInt8(flag, 0);
  head.writeUInt32BE(message.length, 1);
  return Buffer.concat([head, message]);
}

function varint(value: number | bigint): number[] {
  const bytes: number[] = [];
  let rest = BigInt(value);
  for (; rest > 127n; rest >>= 7n) bytes.push(Number(rest & 127n) | 128);
  bytes.push(Number(rest));
  return bytes;
}
