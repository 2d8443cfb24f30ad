/**
 * Which replicas a command asks, from its flags; every command that asks some takes the same ones.
 */

import { endpointText, isLoopback, isTls } from "../command-line.js";
import { type Access, type Address, readServers, UsageError } from "../index.js";
import { complain } from "./terminal.js";

/** The flags that name replicas. */
export interface ReplicaFlags {
  readonly address: string;
  readonly port?: readonly number[] | undefined;
  readonly servers?: string | undefined;
  readonly tls?: boolean | undefined;
  readonly tlsCa?: string | undefined;
  readonly tlsCert?: string | undefined;
  readonly tlsKey?: string | undefined;
  readonly serverName?: string | undefined;
  readonly tokenFile?: string | undefined;
  /** A pinned digest, where the command has one: then nobody votes. */
  readonly digest?: unknown;
}

/**
 * The addresses that the flags name, in their order, each once. Throws UsageError when there are
 * none.
 */
export async function replicasOf(command: string, flags: ReplicaFlags): Promise<Address[]> {
  const listed = flags.servers === undefined ? [] : await readServers(flags.servers);
  const ports = (flags.port ?? []).map((port) => ({ host: flags.address, port }));
  const all = [...listed, ...ports];
  if (all.length === 0) {
    throw new UsageError(`${command}: no replicas: name them with -p PORT… or --servers FILE`);
  }
  const seen = new Set<string>();
  const each = all.filter(({ host, port }) => {
    const id = endpointText(host.toLowerCase(), port);
    if (seen.has(id)) {
      complain(`${command}: ${id} is named more than once, and counts once`);
      return false;
    }
    seen.add(id);
    return true;
  });
  const { tls, tlsCa, tlsCert, tlsKey, serverName, tokenFile } = flags;
  const access: Access = { tls, tlsCa, tlsCert, tlsKey, serverName, tokenFile };
  if (!isTls(access) && flags.digest === undefined && each.some(({ host }) => !isLoopback(host))) {
    complain(
      `${command}: warning: in plain text, one man on the path is every voter: use --tls or --digest`,
    );
  }
  return each.map((address) => ({ ...address, access }));
}
