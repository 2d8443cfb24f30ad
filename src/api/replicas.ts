/** Connects to the replicas that were named, each once, and lets go of them. */

import type { OnEvent } from "../download/progress.js";
import { UsageError } from "../errors.js";
import type { Connect } from "../grpc/kept-connections.js";
import type { RemoteReplica } from "../grpc/replica-client.js";
import { addressOf, endpointText } from "../grpc/resolve.js";
import type { Route } from "../grpc/route.js";
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
  const { connectReplica } = await import("../grpc/replica-client.js");
  const connect: Connect = ({ host, port, tls, token }) =>
    connectReplica(host, port, { tls, token, memory: systemReadMemory });
  const byEndpoint = new Map<string, ReplicaId>();
  const replicas = new Map<ReplicaId, RemoteReplica>();
  try {
    for (const { id, endpoint, route } of await placesOf(addresses)) {
      const into = byEndpoint.get(endpoint);
      if (into === undefined) {
        byEndpoint.set(endpoint, id);
        replicas.set(id, systemConnections.take(route, connect));
      } else if (into !== id) onEvent({ event: "merged", replica: id, into });
    }
    return await use(replicas);
  } finally {
    for (const replica of replicas.values()) replica.close();
  }
}

/** A replica as it was named, where that leads, and how it is reached. */
interface Place {
  readonly id: ReplicaId;
  /** The same for all names of one server. */
  readonly endpoint: string;
  readonly route: Route;
}

/** Looks up each name and reads the keys. Throws UsageError for what makes no sense. */
async function placesOf(addresses: readonly Address[]): Promise<Place[]> {
  for (const { port } of addresses) {
    if (!Number.isInteger(port) || port < 1 || port > 65535) {
      throw new UsageError(`port ${port}: a port is a number from 1 to 65535`);
    }
  }
  const found = await Promise.all(
    addresses.map(async (named) => ({ ...named, ip: await addressOf(named.host) })),
  );
  // Those of one access share its keys, so that its files are read once.
  const keysFor = new Map<Access | undefined, Keys>();
  const places: Place[] = [];
  for (const { host, port, access, ip } of found) {
    const keys = keysFor.get(access) ?? (await keysOf(access));
    keysFor.set(access, keys);
    checkToken(keys, ip);
    const { tls, token } = keys;
    places.push({
      id: replicaId(endpointText(host.toLowerCase(), port)),
      endpoint: endpointText(ip, port),
      // A token goes to the very address that was checked, not to what the name says next.
      route: { host: token !== undefined && tls === undefined ? ip : host, port, tls, token },
    });
  }
  return places;
}
