/** HTTP/2 frame by frame, for clients that keep none of its rules. */

import { connect, type Socket } from "node:net";

export const frames = {
  data: 0,
  headers: 1,
  reset: 3,
  settings: 4,
  ping: 6,
  continuation: 9,
} as const;
export const endStream = 1;
export const endHeaders = 4;

/** Attackers come from an address of their own: bounds are kept for each. */
const attacker = "127.0.0.2";

/** A frame's bytes. */
export function frame(
  type: number,
  flags: number,
  stream: number,
  payload: Uint8Array = Buffer.alloc(0),
) {
  const head = Buffer.alloc(9);
  head.writeUIntBE(payload.length, 0, 3);
  head.writeUInt8(type, 3);
  head.writeUInt8(flags, 4);
  head.writeUInt32BE(stream, 5);
  return Buffer.concat([head, payload]);
}

/** A header line that stays out of the table (or, with `isKept`, goes into it), as HPACK writes it. */
export function header(name: string, value: string, { isKept = false } = {}): Buffer {
  const text = (part: string) => Buffer.concat([prefixed(part.length), Buffer.from(part)]);
  return Buffer.concat([Buffer.of(isKept ? 0x40 : 0), text(name), text(value)]);
}

function prefixed(length: number): Buffer {
  if (length < 127) return Buffer.of(length);
  const bytes = [127];
  let rest = length - 127;
  for (; rest > 127; rest >>= 7) bytes.push((rest & 127) | 128);
  return Buffer.from([...bytes, rest]);
}

/** The header block of a call. */
export function callHeaders(method: string, ...more: readonly Buffer[]): Buffer {
  return Buffer.concat([
    header(":method", "POST"),
    header(":scheme", "http"),
    header(":path", `/quorate.v1.ReplicaService/${method}`),
    header("content-type", "application/grpc"),
    header("te", "trailers"),
    ...more,
  ]);
}

/** A socket from the attackers' address, or another; what comes back is thrown away. */
export async function attack(port: number, localAddress = attacker): Promise<Socket> {
  const socket = connect({ port, host: "127.0.0.1", localAddress });
  socket.on("error", () => {});
  await Promise.race([told(socket, "connect"), told(socket, "close")]);
  return socket;
}

/** An event, whatever errors come before it: a server that breaks the connection does right. */
export function told(socket: Socket, event: string): Promise<void> {
  return new Promise((resolve) => socket.once(event, () => resolve()));
}

/** The same with HTTP/2's greeting sent. */
export async function attackHttp2(port: number): Promise<Socket> {
  const socket = await attack(port);
  socket.resume();
  socket.write("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n");
  socket.write(frame(frames.settings, 0, 0));
  return socket;
}

/** Writes as much as the server takes, until it is all written or the server has had enough. */
export async function pour(socket: Socket, parts: Iterable<Uint8Array>): Promise<void> {
  for (const part of parts) {
    if (socket.destroyed) return;
    if (!socket.write(part)) await Promise.race([told(socket, "drain"), told(socket, "close")]);
  }
}
