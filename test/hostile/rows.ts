/** What hostile clients do to a port. Sockets that are to stay open are put into `left`. */

import { once } from "node:events";
import { type ClientHttp2Session, connect } from "node:http2";
import { connect as connectTcp, type Socket } from "node:net";
import { setTimeout as delay } from "node:timers/promises";
import { gzipSync } from "node:zlib";
import { madeUp } from "../support/made-up.js";
import { framed, requestOf } from "../support/raw-grpc.js";
import {
  attack,
  attackHttp2,
  callHeaders,
  endHeaders,
  endStream,
  frame,
  frames,
  header,
  pour,
  told,
} from "../support/raw-http2.js";

type Row = readonly [what: string, run: (port: number, left: Socket[]) => Promise<void>];

const many = function* (count: number, make: (index: number) => Uint8Array) {
  for (let index = 0; index < count; index++) yield make(index);
};

const oddStream = (index: number) => 2 * index + 1;

export const rows: readonly Row[] = [
  [
    "5,000 rapid resets",
    async (port, left) => {
      const socket = await attackHttp2(port);
      left.push(socket);
      const body = requestOf({ name: "a.bin" });
      await pour(
        socket,
        many(5000, (index) => {
          const stream = oddStream(index);
          return Buffer.concat([
            frame(frames.headers, endHeaders, stream, callHeaders("ReadRange")),
            frame(frames.data, endStream, stream, body),
            frame(frames.reset, 0, stream, Buffer.of(0, 0, 0, 8)),
          ]);
        }),
      );
    },
  ],
  [
    "CONTINUATION without end",
    async (port, left) => {
      const socket = await attackHttp2(port);
      left.push(socket);
      const line = header("x-filler", "y".repeat(1000));
      await pour(socket, [frame(frames.headers, 0, 1, callHeaders("GetSize"))]);
      await pour(
        socket,
        many(20_000, () => frame(frames.continuation, 0, 1, line)),
      );
    },
  ],
  [
    "100,000 PINGs, never reading an answer",
    async (port, left) => {
      const socket = await attackHttp2(port);
      left.push(socket);
      socket.pause();
      const pings = Buffer.concat([...many(100, () => frame(frames.ping, 0, 0, Buffer.alloc(8)))]);
      const poured = pour(
        socket,
        many(1000, () => pings),
      );
      // It may stop reading us, as we do not read it: then there is nothing more to send.
      await Promise.race([poured, told(socket, "close"), delay(20_000)]);
    },
  ],
  [
    "100,000 SETTINGS",
    async (port, left) => {
      const socket = await attackHttp2(port);
      left.push(socket);
      const settings = Buffer.concat([...many(100, () => frame(frames.settings, 0, 0))]);
      await pour(
        socket,
        many(1000, () => settings),
      );
    },
  ],
  [
    "200,000 empty DATA frames",
    async (port, left) => {
      const socket = await attackHttp2(port);
      left.push(socket);
      await pour(socket, [frame(frames.headers, endHeaders, 1, callHeaders("GetSize"))]);
      const empty = Buffer.concat([...many(100, () => frame(frames.data, 0, 1))]);
      await pour(
        socket,
        many(2000, () => empty),
      );
    },
  ],
  [
    "an HPACK bomb",
    async (port, left) => {
      const socket = await attackHttp2(port);
      left.push(socket);
      const kept = header("x-bomb", "y".repeat(3900), { isKept: true });
      await pour(
        socket,
        many(100, (index) => {
          // Index 62 is the youngest line of the table: a byte for 4 KB.
          const block = Buffer.concat([callHeaders("GetSize"), kept, Buffer.alloc(12_000, 0xbe)]);
          return frame(frames.headers, endHeaders | endStream, oddStream(index), block);
        }),
      );
    },
  ],
  ["a gzip bomb", gzipBomb],
  ["1,000 streams of one connection", manyStreams],
  [
    "garbage",
    async (port) => {
      for (const bytes of [
        madeUp(200_000),
        Buffer.from("GET / HTTP/1.1\r\nHost: x\r\n\r\n"),
        Buffer.alloc(100_000),
        Buffer.from(
          "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\xff\xff\xff\xff\xff\xff\xff\xff\xff",
          "latin1",
        ),
      ]) {
        const socket = await attack(port);
        socket.resume();
        if (!socket.destroyed) socket.end(bytes);
        await Promise.race([told(socket, "close"), delay(60_000)]);
      }
    },
  ],
  ["absurd ranges, deadlines, names and paths", absurdities],
];

function session(port: number, settings = {}): ClientHttp2Session {
  const made = connect(`http://127.0.0.1:${port}`, {
    settings,
    createConnection: () => connectTcp({ port, host: "127.0.0.1", localAddress: "127.0.0.2" }),
  });
  made.on("error", () => {});
  return made;
}

function ask(from: ClientHttp2Session, path: string, body: Buffer, more = {}) {
  const stream = from.request({
    ":method": "POST",
    ":path": path,
    "content-type": "application/grpc",
    te: "trailers",
    ...more,
  });
  stream.on("error", () => {});
  stream.end(body);
  return stream;
}

const pathOf = (method: string) => `/quorate.v1.ReplicaService/${method}`;

async function gzipBomb(port: number): Promise<void> {
  const from = session(port);
  const bomb = framed(gzipSync(Buffer.alloc(48 * 1024 * 1024)), 1);
  const streams = Array.from({ length: 20 }, () =>
    ask(from, pathOf("GetSize"), bomb, { "grpc-encoding": "gzip" }).resume(),
  );
  await Promise.all(streams.map((stream) => once(stream, "close")));
  from.destroy();
}

async function manyStreams(port: number): Promise<void> {
  const from = session(port);
  await once(from, "remoteSettings");
  const body = requestOf({ name: "a.bin", length: 1000 });
  const streams = Array.from({ length: 1000 }, () => ask(from, pathOf("ReadRange"), body).resume());
  await Promise.all(streams.map((stream) => once(stream, "close")));
  from.destroy();
}

async function absurdities(port: number): Promise<void> {
  const from = session(port);
  const top = 2n ** 64n - 1n;
  const bodies = [
    requestOf({ name: "a.bin", offset: top, length: top }),
    requestOf({ name: "a.bin", offset: 2n ** 63n }),
    requestOf({ name: "a.bin", length: 2n ** 53n + 1n }),
    requestOf({ name: Buffer.of(0xed, 0xa0, 0x80) }),
    requestOf({ name: Buffer.of(0xff, 0xfe, 0x00) }),
    requestOf({ name: "\u202e\u001b[2J\n" }),
    requestOf({ name: "../".repeat(300) }),
    requestOf({ name: "x".repeat(60_000) }),
    framed(Buffer.of(0x0a, 0xff, 0xff, 0xff, 0xff, 0x0f)),
    framed(madeUp(1000)),
    Buffer.of(0, 0xff, 0xff, 0xff, 0xff),
    Buffer.alloc(0),
  ];
  const timeouts = ["99999999H", "1n", "0m", "-5S", "abc", "99999999999999m", "2147483648m"];
  const methods = ["GetChecksum", "GetSize", "ReadRange", "ListPieces", "ListFiles"];
  const paths = ["/", "//", "/quorate.v1.ReplicaService/\u00ff%00", `/${"x".repeat(4000)}`];
  const calls = [
    ...methods.flatMap((method) => bodies.map((body) => ask(from, pathOf(method), body))),
    ...timeouts.map((timeout) =>
      ask(from, pathOf("GetSize"), requestOf({}), { "grpc-timeout": timeout }),
    ),
    ...paths.map((path) => ask(from, path, requestOf({}))),
    ask(from, pathOf("GetSize"), requestOf({}), { "x-large": "y".repeat(12_000) }),
    ask(from, pathOf("GetSize"), requestOf({}), { "grpc-encoding": "\u00ff" }),
    ask(from, pathOf("GetSize"), requestOf({}), { "content-type": "text/html" }),
  ];
  for (const stream of calls) stream.resume();
  await Promise.all(calls.map((stream) => stream.destroyed || once(stream, "close")));
  from.destroy();
}

/** Readers whose windows are large and who take nothing, four to a connection. */
export async function readersThatNeverRead(port: number, count: number) {
  const perSession = 4;
  const tally = { begun: 0, open: count };
  const sessions = Array.from({ length: count / perSession }, () =>
    session(port, { initialWindowSize: 2 ** 20 }),
  );
  for (const from of sessions) {
    for (let index = 0; index < perSession; index++) {
      const stream = ask(from, pathOf("ReadRange"), requestOf({ name: "a.bin" }));
      stream.pause();
      stream.once("response", () => tally.begun++);
      stream.once("close", () => tally.open--);
    }
  }
  return {
    get begun() {
      return tally.begun;
    },
    get open() {
      return tally.open;
    },
    close() {
      for (const from of sessions) from.destroy();
    },
  };
}
