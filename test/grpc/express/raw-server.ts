/** A server of one connection that speaks HTTP/2 frame by frame, as a test tells it to. */

import assert from "node:assert/strict";
import { once } from "node:events";
import { type AddressInfo, createServer, type Server, type Socket } from "node:net";
import { createServer as createTlsServer } from "node:tls";
import { create, fromBinary, toBinary } from "@bufbuild/protobuf";
import {
  ReadRangeRequestSchema,
  ReadRangeResponseSchema,
} from "../../../gen/quorate/v1/replica_pb.js";
import { frame, frameKind } from "../../../src/grpc/express/frames.js";
import { prefixed } from "../../../src/grpc/express/messages.js";
import type { Pair } from "../../support/authority.js";

const preface = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";

export interface Frame {
  readonly kind: number;
  readonly flags: number;
  readonly stream: number;
  readonly payload: Buffer;
}

export class RawServer {
  /** Bytes that each stream, and stream 0 all of them, were granted beyond the first window. */
  readonly granted = new Map<number, number>();
  readonly #server: Server;
  #socket: Socket | undefined;
  #unread = Buffer.alloc(0);
  #frames: Frame[] = [];
  #onFrame: (() => void) | undefined;

  /** Over TLS with a certificate. */
  constructor(pair?: Pair) {
    const welcome = (socket: Socket) => {
      assert.equal(this.#socket, undefined, "one connection only");
      this.#socket = socket;
      socket.on("error", () => {});
      socket.on("data", (bytes) => this.#came(bytes));
      socket.on("close", () => this.#server.emit("left"));
    };
    this.#server =
      pair === undefined
        ? createServer(welcome)
        : createTlsServer({ cert: pair.cert, key: pair.key, ALPNProtocols: ["h2"] }, welcome);
  }

  async listen(): Promise<number> {
    this.#server.listen(0, "127.0.0.1");
    await once(this.#server, "listening");
    return (this.#server.address() as AddressInfo).port;
  }

  close(): void {
    this.#socket?.destroy();
    this.#server.close();
  }

  /** Resolves once the client has hung up. */
  async left(): Promise<void> {
    if (this.#socket?.destroyed !== true) await once(this.#server, "left");
  }

  get isLeft(): boolean {
    return this.#socket?.destroyed === true;
  }

  /** The next frame of a kind; those of other kinds before it are passed over. */
  async next(kind: number): Promise<Frame> {
    for (;;) {
      const found = this.#frames.shift();
      if (found?.kind === kind) return found;
      if (found !== undefined) continue;
      await new Promise<void>((resolve) => {
        this.#onFrame = resolve;
      });
    }
  }

  /** Waits for a read, and gives its stream and what it asks for. */
  async asked() {
    const { stream, payload } = await this.next(frameKind.data);
    return { stream, ...fromBinary(ReadRangeRequestSchema, payload.subarray(5)) };
  }

  send(...frames: readonly Buffer[]): void {
    this.#socket?.write(Buffer.concat(frames));
  }

  /** Sends, and waits until it has left this side, or nobody takes it any more. */
  async sent(...frames: readonly Buffer[]): Promise<void> {
    await new Promise<void>((resolve) => {
      this.#socket?.write(Buffer.concat(frames), () => resolve());
    });
  }

  /** Reads nothing more. */
  pause(): void {
    this.#socket?.pause();
  }

  /** As a server begins. */
  greet(): void {
    this.send(frame(frameKind.settings, 0, 0, Buffer.alloc(0)));
  }

  /** Ends the connection, as a process that ends does. */
  hangUp(): void {
    this.#socket?.end();
  }

  #came(bytes: Buffer): void {
    this.#unread = Buffer.concat([this.#unread, bytes]);
    if (this.#unread.toString("latin1", 0, preface.length) === preface) {
      this.#unread = this.#unread.subarray(preface.length);
    }
    while (this.#unread.length >= 9) {
      const length = this.#unread.readUIntBE(0, 3);
      if (this.#unread.length < 9 + length) return;
      const [kind = 0, flags = 0] = this.#unread.subarray(3, 5);
      const stream = this.#unread.readUInt32BE(5);
      const payload = Buffer.from(this.#unread.subarray(9, 9 + length));
      this.#unread = this.#unread.subarray(9 + length);
      if (kind === frameKind.windowUpdate) {
        this.granted.set(stream, (this.granted.get(stream) ?? 0) + payload.readUInt32BE(0));
      }
      this.#frames.push({ kind, flags, stream, payload });
      this.#onFrame?.();
    }
  }
}

/** The frames of one message: some data of the file at an offset. */
export function dataFrames(stream: number, offset: number, data: Uint8Array): Buffer[] {
  const response = create(ReadRangeResponseSchema, { offset: BigInt(offset), data });
  const bytes = prefixed(toBinary(ReadRangeResponseSchema, response));
  const frames: Buffer[] = [];
  for (let at = 0; at < bytes.length; at += 16_384) {
    frames.push(frame(frameKind.data, 0, stream, bytes.subarray(at, at + 16_384)));
  }
  return frames;
}

/** Header lines that nobody reads, as an answer begins; `flags` 5 ends it. */
export function headers(stream: number, flags = 4): Buffer {
  return frame(frameKind.headers, flags, stream, Buffer.from([0x88]));
}
