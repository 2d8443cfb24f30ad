/** Connects to the replicas that were named, each once, and lets go of them. */

import type { OnEvent } from "../download/progress.js";
import { UsageError } from "../errors.js";
import type { Connect } from "../grpc/kept-connections.js";
import type { RemoteReplica } from "../grpc/replica-client.js";
import { addressOf, endpointText } from "../grpc/resolve.js";
import { systemConnections, systemReadMemory } from "../system.js";
import { type ReplicaId, replicaId } from "../trust/quorum.js";
import { type Access, checkToken, type Keys, keysOf } from "./access.js";

/** Where a replica is. The same address given twice counts once. */
export interface Address {
  /** A name or an IP address. */
  readonly host: string;
  /** 1–65535. */
  readonly port: number;
  /** How it is reached. Default: in plain text, without a token. */
  readonly access?: Access | undefined;
}

/** Connects to each replica once, however often and under whatever names its address was given. */
export async function withReplicas<Result>(
  addresses: readonly Address[],
  use: (replicas: ReadonlyMap<ReplicaId, RemoteReplica>) => Promise<Result>,
  onEvent: OnEvent = () => {},
): Promise<Result> {
  for (const { port } of addresses) {
    if (!Number.isInteger(port) || port < 1 || port > 65535) {
      throw new UsageError(`port ${port}: a port is a number from 1 to 65535`);
    }
  }
  const { connectReplica } = await import("../grpc/replica-client.js");
  const connect: Connect = ({ host, port, tls, token }) =>
    connectReplica(host, port, { tls, token, memory: systemReadMemory });
  const found = await Promise.all(addresses.map(({ host }) => addressOf(host)));
  const keysFor = new Map<Access | undefined, Keys>();
  for (const [index, { host, access }] of addresses.entries()) {
    const keys = keysFor.get(access) ?? (await keysOf(access));
    keysFor.set(access, keys);
    checkToken(keys, found[index] ?? host);
  }
  const known = new Map<string, ReplicaId>();
  const replicas = new Map<ReplicaId, RemoteReplica>();
  try {
    for (const [index, { host, port, access }] of addresses.entries()) {
      const id = replicaId(endpointText(host.toLowerCase(), port));
      const address = found[index] ?? host;
      const place = endpointText(address, port);
      const into = known.get(place);
      if (into === undefined) {
        known.set(place, id);
        const keys = keysFor.get(access);
        // A token goes to the very address that was looked at, not to what the name says next.
        const to = keys?.token !== undefined && keys.tls === undefined ? address : host;
        const { tls, token } = keys ?? {};
        replicas.set(id, systemConnections.take({ host: to, port, tls, token }, connect));
      } else if (into !== id) onEvent({ event: "merged", replica: id, into });
    }
    return await use(replicas);
  } finally {
    for (const replica of replicas.values()) replica.close();
  }
}
