/** Says in words why a port cannot be listened on: grpc-js's own bind errors carry no code. */

import { createServer } from "node:net";

/** The reason, or `undefined` when the port is free now. */
export function checkPort(at: {
  readonly host: string;
  readonly port: number;
}): Promise<string | undefined> {
  return new Promise((resolve) => {
    const probe = createServer();
    probe.once("error", (error: NodeJS.ErrnoException) => resolve(reasonOf(error)));
    probe.listen({ host: at.host, port: at.port, exclusive: true }, () => {
      probe.close(() => resolve(undefined));
    });
  });
}

function reasonOf({ code, message }: NodeJS.ErrnoException): string {
  switch (code) {
    case "EADDRINUSE":
      return "it is in use";
    case "EACCES":
      return "permission denied";
    case "EADDRNOTAVAIL":
      return "this machine does not have that address";
    case "ENOTFOUND":
      return "the host's name is not known";
    default:
      return message;
  }
}
