/**
 * A server that speaks the protocol by hand, over bare HTTP/2: honest wherever it is not told how
 * to misbehave.
 */

import {
  createSecureServer,
  createServer,
  type Http2Session,
  type ServerHttp2Stream,
} from "node:http2";
import { type AddressInfo, createServer as createTcpServer, type Socket } from "node:net";
import {
  create,
  type DescMessage,
  fromBinary,
  type MessageInitShape,
  toBinary,
} from "@bufbuild/protobuf";
import {
  GetChecksumResponseSchema,
  ListPiecesResponseSchema,
  ReadRangeRequestSchema,
  ReadRangeResponseSchema,
} from "../../gen/quorate/v1/replica_pb.js";
import { digestOf } from "../../src/trust/digest.js";
import { manifestOf } from "../../src/trust/manifest.js";
import { leafDigest, rootOf } from "../../src/trust/merkle.js";
import type { Pair } from "../support/authority.js";

/** What a hostile server knows of the file. */
export interface Known {
  readonly name: string;
  readonly content: Buffer;
  readonly pieceBytes: number;
  /** All leaf digests, side by side. */
  readonly digests: Buffer;
  readonly claim: MessageInitShape<typeof GetChecksumResponseSchema>;
}

/** What it does with one call; `range` is what a read asks for. */
export type Answer = (
  stream: ServerHttp2Stream,
  known: Known,
  range: { readonly start: number; readonly end: number },
) => void | Promise<void>;

/** The calls that it answers in its own way. */
export interface Vice {
  readonly checksum?: Answer;
  readonly read?: Answer;
  readonly pieces?: Answer;
  readonly session?: (session: Http2Session) => void;
}

/** Somebody who listens, until it is closed. */
export interface Listener {
  readonly port: number;
  /** Calls of a method that came over express connections. */
  readonly expressCalls: (method: string) => number;
  close(): void;
}

export function knownOf(name: string, content: Buffer): Known {
  const bare = { size: content.length, digest: digestOf(content), root: undefined };
  const { pieceBytes, pieceCount } = manifestOf(bare);
  const leaves = Array.from({ length: pieceCount }, (_, piece) =>
    leafDigest(content.subarray(piece * pieceBytes, (piece + 1) * pieceBytes)),
  );
  const digests = Buffer.concat(leaves);
  const claim = {
    name,
    digest: digestOf(content),
    size: BigInt(content.length),
    pieceSize: BigInt(pieceBytes),
    pieceRoot: rootOf(digests),
    version: "1",
  };
  return { name, content, pieceBytes, digests, claim };
}

/** Starts a server with a vice, over TLS with a certificate. */
export async function listenHostile(known: Known, vice: Vice, pair?: Pair): Promise<Listener> {
  const expressCalls = new Map<string, number>();
  const options = { settings: { maxConcurrentStreams: 1000 }, maxSendHeaderBlockLength: 1 << 26 };
  const { cert = "", key = "" } = pair ?? {};
  const server =
    pair === undefined ? createServer(options) : createSecureServer({ ...options, cert, key });
  const sessions = new Set<Http2Session>();
  server.on("session", (session) => {
    sessions.add(session);
    session.on("error", ignore);
    vice.session?.(session);
  });
  server.on("stream", (stream, headers) => {
    stream.on("error", ignore);
    const method = String(headers[":path"]).split("/").at(-1) ?? "";
    if (headers["user-agent"] === "quorate") {
      expressCalls.set(method, (expressCalls.get(method) ?? 0) + 1);
    }
    void whole(stream).then((body) => {
      if (method === "ReadRange") {
        const { offset, length } = fromBinary(ReadRangeRequestSchema, body.subarray(5));
        const range = { start: Number(offset), end: Number(offset + length) };
        return (vice.read ?? readHonestly)(stream, known, range);
      }
      const nothing = { start: 0, end: 0 };
      if (method === "GetChecksum") return (vice.checksum ?? claimHonestly)(stream, known, nothing);
      if (method === "ListPieces") return (vice.pieces ?? listHonestly)(stream, known, nothing);
      return fail(stream, 12, "no such call");
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const close = () => {
    for (const session of sessions) session.destroy();
    server.close();
  };
  return {
    port: (server.address() as AddressInfo).port,
    expressCalls: (method) => expressCalls.get(method) ?? 0,
    close,
  };
}

/** Starts somebody who does not even speak HTTP/2. */
export async function listenRaw(greet: (socket: Socket) => void): Promise<Listener> {
  const sockets = new Set<Socket>();
  const server = createTcpServer((socket) => {
    sockets.add(socket);
    socket.on("error", ignore);
    greet(socket);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const close = () => {
    for (const socket of sockets) socket.destroy();
    server.close();
  };
  return {
    port: (server.address() as AddressInfo).port,
    expressCalls: () => 0,
    close,
  };
}

export const claimHonestly: Answer = (stream, known) => {
  begin(stream);
  stream.end(message(GetChecksumResponseSchema, known.claim));
};

export const listHonestly: Answer = (stream, { digests }) => {
  begin(stream);
  stream.end(message(ListPiecesResponseSchema, { first: 0n, digests }));
};

export const readHonestly: Answer = async (stream, known, { start, end }) => {
  begin(stream);
  for (let offset = start; offset < end; offset += chunkBytes) {
    if (!(await sent(stream, chunk(known, offset, Math.min(offset + chunkBytes, end))))) return;
  }
  stream.end();
};

const chunkBytes = 16 * 1024;

/** The chunk of the file's bytes `[start, end)`, which may be said to lie elsewhere. */
export function chunk({ content }: Known, start: number, end: number, saidOffset = start): Buffer {
  const data = content.subarray(start, end);
  return message(ReadRangeResponseSchema, { offset: BigInt(saidOffset), data });
}

/** A message with its gRPC prefix. */
export function message<Schema extends DescMessage>(
  schema: Schema,
  fields: MessageInitShape<Schema>,
): Buffer {
  return framed(toBinary(schema, create(schema, fields)));
}

/** Bytes behind a prefix that may say another length. */
export function framed(bytes: Uint8Array, saidBytes = bytes.length): Buffer {
  const prefix = Buffer.alloc(5);
  prefix.writeUInt32BE(saidBytes, 1);
  return Buffer.concat([prefix, bytes]);
}

/** Sends headers; the stream's end sends OK. */
export function begin(stream: ServerHttp2Stream, trailers: Record<string, string> = {}): void {
  stream.respond(
    { ":status": 200, "content-type": "application/grpc+proto" },
    { waitForTrailers: true },
  );
  stream.on("wantTrailers", () => stream.sendTrailers({ "grpc-status": "0", ...trailers }));
}

/** Ends a call with a status; the text is percent-encoded already. */
export function fail(
  stream: ServerHttp2Stream,
  status: number,
  text: string,
  more: Record<string, string> = {},
): void {
  const failed = { "grpc-status": String(status), "grpc-message": text, ...more };
  const headers = { ":status": 200, "content-type": "application/grpc+proto", ...failed };
  stream.respond(headers, { endStream: true });
}

/** Writes, and waits until there is room again; false once the stream is gone. */
export async function sent(stream: ServerHttp2Stream, bytes: Uint8Array): Promise<boolean> {
  if (stream.destroyed || stream.closed) return false;
  if (stream.write(bytes)) return true;
  await new Promise<void>((resolve) => {
    const go = () => {
      stream.off("drain", go).off("close", go);
      resolve();
    };
    stream.on("drain", go).on("close", go);
  });
  return !stream.destroyed && !stream.closed;
}

async function whole(stream: ServerHttp2Stream): Promise<Buffer> {
  const parts: Buffer[] = [];
  stream.on("data", (part: Buffer) => parts.push(part));
  await new Promise<void>((resolve) => {
    stream.once("end", resolve);
    stream.once("close", resolve);
  });
  return Buffer.concat(parts);
}

function ignore(): void {
  // The client hangs up on whoever misbehaves: that is what is tested.
}
