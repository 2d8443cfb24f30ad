/**
 * Header lines in HPACK (RFC 7541). Written in full, so that no table remembers them; read, which
 * only an answer that failed needs, by Node's own HTTP/2.
 */

import { connect, type IncomingHttpHeaders } from "node:http2";
import { Duplex } from "node:stream";
import { endFlag, endHeadersFlag, frame, frameKind } from "./frames.js";

/** The block of these headers, never to be kept by anybody on the way. */
export function headerBlock(headers: readonly (readonly [name: string, value: string])[]): Buffer {
  const neverIndexed = Buffer.from([0x10]);
  return Buffer.concat(
    headers.flatMap(([name, value]) => [neverIndexed, literal(name), literal(value)]),
  );
}

function literal(text: string): Buffer {
  const bytes = Buffer.from(text, "latin1");
  const length = [Math.min(bytes.length, 127)];
  if (bytes.length >= 127) {
    let rest = bytes.length - 127;
    for (; rest > 127; rest >>>= 7) length.push((rest & 127) | 128);
    length.push(rest);
  }
  return Buffer.concat([Buffer.from(length), bytes]);
}

/** The last headers of an answer, as they came. */
export interface LastHeaders {
  readonly block: Uint8Array;
  /** Whether they are its only ones, and not behind others and data. */
  readonly areOnly: boolean;
}

/** `:status: 200`, from the table that everybody has. */
const statusOk = Buffer.from([0x88]);

/**
 * What they say; `undefined` when that cannot be read, or not before the signal is aborted. They
 * are read in a session with nobody, which is given them as its answer.
 */
export async function headersOf(
  { block, areOnly }: LastHeaders,
  signal: AbortSignal,
): Promise<IncomingHttpHeaders | undefined> {
  const wire = new Duplex({ read() {}, write: (_bytes, _encoding, done) => done() });
  const session = connect("http://nobody", { createConnection: () => wire });
  const giveUp = () => session.destroy();
  signal.addEventListener("abort", giveUp, { once: true });
  try {
    return await new Promise((resolve) => {
      const stream = session.request({ ":method": "POST" }, { endStream: true });
      stream.on(areOnly ? "response" : "trailers", resolve);
      stream.on("error", giveUp).on("close", () => resolve(undefined));
      session.on("error", giveUp).on("close", () => resolve(undefined));
      wire.push(frame(frameKind.settings, 0, 0, new Uint8Array(0)));
      if (!areOnly) wire.push(frame(frameKind.headers, endHeadersFlag, 1, statusOk));
      wire.push(frame(frameKind.headers, endHeadersFlag | endFlag, 1, block));
      // Of what cannot be read, Node says nothing until nobody is there any more.
      wire.push(null);
      if (signal.aborted) giveUp();
    });
  } finally {
    signal.removeEventListener("abort", giveUp);
    session.destroy();
  }
}
