/** Readers that cost little themselves: what they are sent is counted and thrown away. */

import { once } from "node:events";
import { type ClientHttp2Session, type ClientHttp2Stream, connect } from "node:http2";
import { connect as connectTcp } from "node:net";
import { connect as connectTls } from "node:tls";
import { limits } from "../src/limits.js";
import { requestOf } from "../test/support/raw-grpc.js";

/** Where to read from. */
export interface ServedFile {
  readonly port: number;
  readonly name: string;
  /** Who signed the server's certificate; plain text without. */
  readonly ca?: Buffer | undefined;
}

/** As our own client's. */
const { windowBytes } = limits;

/** A connection to a server from one of the addresses of this machine. */
export function connected({ port, ca }: ServedFile, localAddress = "127.0.0.1") {
  const at = { port, host: "127.0.0.1", localAddress };
  const session = connect(`${ca === undefined ? "http" : "https"}://127.0.0.1:${port}`, {
    settings: { initialWindowSize: windowBytes },
    createConnection: () =>
      ca === undefined ? connectTcp(at) : connectTls({ ...at, ca, ALPNProtocols: ["h2"] }),
  });
  session.on("error", () => {});
  session.once("connect", () => session.setLocalWindowSize(windowBytes));
  return session;
}

/** Asks for a whole file. */
export function asking(session: ClientHttp2Session, { name }: ServedFile): ClientHttp2Stream {
  const stream = session.request({
    ":method": "POST",
    ":path": "/quorate.v1.ReplicaService/ReadRange",
    "content-type": "application/grpc",
    te: "trailers",
  });
  stream.on("error", () => {});
  stream.end(requestOf({ name }));
  return stream;
}

/** Reads a whole file once; gives the bytes that came, those of messages' heads included. */
export async function readOnce(session: ClientHttp2Session, file: ServedFile): Promise<number> {
  const stream = asking(session, file);
  let bytes = 0;
  let status: unknown;
  stream.on("data", (data: Buffer) => {
    bytes += data.length;
  });
  stream.on("trailers", (trailers) => {
    status = trailers["grpc-status"];
  });
  await once(stream, "close");
  if (String(status) !== "0") throw new Error(`a read ended with ${status}`);
  return bytes;
}

/** 1 when all are equal, 1/n when one has it all (Jain, Chiu, Hawe 1984). */
export function jainIndex(shares: readonly number[]): number {
  const sum = shares.reduce((total, share) => total + share, 0);
  const squares = shares.reduce((total, share) => total + share * share, 0);
  return (sum * sum) / (shares.length * squares);
}
