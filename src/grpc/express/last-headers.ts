/** Reads the headers of an answer that failed, by Node's own HTTP/2. */

import { connect, type IncomingHttpHeaders } from "node:http2";
import { Duplex } from "node:stream";
import { endFlag, endHeadersFlag, frame, frameKind } from "./frames.js";
import type { LastHeaders } from "./headers.js";

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
