/** Opens a socket over TLS that makes sure of the server exactly as grpc-js does. */

import type { OnReadOpts } from "node:net";
import type { TLSSocket } from "node:tls";
import type { ClientTls } from "../channel.js";

/** Whether grpc-js is told otherwise, by variables of its own, whom to trust, or how. */
export function isLeftToGrpc({ ca }: ClientTls): boolean {
  const { GRPC_DEFAULT_SSL_ROOTS_FILE_PATH: roots, GRPC_SSL_CIPHER_SUITES: suites } = process.env;
  return suites !== undefined || (ca === undefined && roots !== undefined);
}

/** What is written waits until the server is who it should be, and speaks HTTP/2. */
export function connectTls(
  to: { readonly host: string; readonly port: number; readonly tls: ClientTls },
  onread: OnReadOpts,
): TLSSocket {
  const { host, port } = to;
  const { ca, cert, key, serverName } = to.tls;
  // Loading it takes 4 ms, which plain text does not need.
  const { connect } = process.getBuiltinModule("node:tls");
  const servername = serverName === undefined ? {} : { servername: serverName };
  const made = { host, port, ca, cert, key, ...servername, onread, ALPNProtocols: ["h2"] };
  const socket = connect(made).setNoDelay(true);
  // No token goes to anybody else.
  socket.cork();
  return socket.once("secureConnect", () => {
    if (socket.authorized && socket.alpnProtocol === "h2") socket.uncork();
    else socket.destroy();
  });
}
