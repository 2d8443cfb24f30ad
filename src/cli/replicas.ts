/**
 * Which replicas a command asks, from its flags; every command that asks some takes the same ones.
 */

import type { Address } from "../index.js";
import { readServers, UsageError } from "../index.js";

/** The flags that name replicas. */
export interface ReplicaFlags {
  readonly address: string;
  readonly port?: readonly number[] | undefined;
  readonly servers?: string | undefined;
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
  return all.filter(({ host, port }) => {
    const id = `${host}:${port}`;
    if (seen.has(id)) return false;
    seen.add(id);
    return true;
  });
}
