/** Says in words why a port cannot be listened on: grpc-js's own bind errors carry no code. */

import { createServer } from "node:net";

/** The reason, or `undefined` when the port is free now. */
export function checkPort(at: {
  readonly host: string;
  readonly port: number;
}): Promise<string | undefined> {
  return new Promise((resolve) => {
    const probe = createServer();
    probe.once("error", (error) => resolve(bindProblem(error)));
    probe.listen({ host: at.host, port: at.port, exclusive: true }, () => {
      probe.close(() => resolve(undefined));
    });
  });
}

/** Why listening failed, from Node's error or from grpc-js's, which has the code in its text. */
export function bindProblem({ message }: Error): string {
  switch (/\bE[A-Z]{3,}\b/.exec(message)?.[0]) {
    case "EADDRINUSE":
      return "it is in use";
    case "EACCES":
      return "permission denied";
    case "EADDRNOTAVAIL":
      return "this machine does not have that address";
    case "ENOTFOUND":
      return "the host's name is not known";
    case "EMFILE":
    case "ENFILE":
      return "too many files are open; raise `ulimit -n`";
    default:
      return message;
  }
}
