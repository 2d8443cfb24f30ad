/** What calls run over: plain text, and TLS where openssl can make certificates. */

import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { ClientTls } from "../../src/grpc/channel.js";
import { Authority, opensslProblem, type Pair } from "./authority.js";

/** A server's certificate, and how a client makes sure of it. */
export interface WireTls {
  readonly server: Pair;
  readonly client: ClientTls;
}

/** A wire to run a suite over. */
export interface Wire {
  readonly title: string;
  /** `undefined` in plain text. */
  tls(): WireTls | undefined;
}

let made: WireTls | undefined;

function tls(): WireTls {
  if (made !== undefined) return made;
  const folder = mkdtempSync(join(tmpdir(), "quorate-test-"));
  try {
    const authority = new Authority(folder, "authority");
    const ca = authority.pair.cert;
    const client = { ca, cert: undefined, key: undefined, serverName: undefined };
    made = { server: authority.issue("server"), client };
    return made;
  } finally {
    rmSync(folder, { recursive: true });
  }
}

export const wires: readonly Wire[] = [
  { title: "in plain text", tls: () => undefined },
  ...(opensslProblem() === "" ? [{ title: "over TLS", tls }] : []),
];

/** A suite that holds over each of them. */
export function overEachWire(title: string, suite: (this: Mocha.Suite, wire: Wire) => void): void {
  for (const wire of wires) {
    describe(`${title}, ${wire.title}`, function () {
      suite.call(this, wire);
    });
  }
}
