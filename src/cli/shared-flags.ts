/** What several commands say in the same words: flags, and how help texts end. */

import type { Command } from "@commander-js/extra-typings";
import * as flag from "./flags.js";

/** Which replicas, and how they are reached. */
export function addReplicaFlags(command: Command) {
  return command
    .option("-a, --address <host>", "where the ports of -p are", flag.host, "127.0.0.1")
    .option("-p, --port <port...>", "ports of replicas", flag.several(flag.port))
    .option(
      "--servers <file>",
      "a file with `host port` or `host:port` a line, or a,comma:1,list:2",
    )
    .option("--tls", "over TLS, trusting the system's authorities")
    .option("--tls-ca <file>", "over TLS, trusting this authority")
    .option("--tls-cert <file>", "our certificate, for servers that ask for one")
    .option("--tls-key <file>", "its key")
    .option("--server-name <name>", "the name in the servers' certificates (default: the host)")
    .option("--token-file <file>", "a bearer token, in the first line");
}

/** Who decides what is true. */
export function addRuleFlags<Command extends ReturnType<typeof addReplicaFlags>>(command: Command) {
  return command
    .option("--quorum <rule>", "how many must agree: majority, all, or a number", flag.rule)
    .option("--digest <sha256:…>", "the digest that the file must have; beats any vote", flag.pin);
}

/** For programs. */
export const json = ["--json", "one JSON event a line on stdout, nothing else"] as const;

/** The last part of a help text. */
export const examples = (...lines: readonly string[]) =>
  `\nExamples:\n${lines.map((line) => `  $ ${line}`).join("\n")}`;
