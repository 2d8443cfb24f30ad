/** Serving, wired to the real wire, disk, threads and clock. */

import { messageOf, UsageError } from "../errors.js";
import { defaultCacheFolder, manifestCache } from "../files/manifest-cache.js";
import { type SharedFolder, shareFile, shareFolder } from "../files/shared-folder.js";
import type { Gauged, Metrics } from "../grpc/metrics.js";
import { checkPort } from "../grpc/port-check.js";
import { addressOf, endpointText, isLoopback } from "../grpc/resolve.js";
import { limits } from "../limits.js";
import { type Group, startGroup } from "../serve/group.js";
import { LocalReplica } from "../serve/local-replica.js";
import { Manifests } from "../serve/manifests.js";
import { resolveServeOptions, type ServeOptions } from "../serve/options.js";
import type { CallRecord, Listen } from "../server-ports.js";
import { systemClock } from "../system.js";
import { hashFile } from "../threads/hash-file.js";
import { type Entrance, openEntrance } from "./entrance.js";

/** What to serve, and where. */
export interface ServeRequest {
  /** One file, or a folder with all regular files below it that are not hidden. */
  readonly share: { readonly file: string } | { readonly folder: string };
  /** One virtual server each; bad and busy ones are dropped, with an event that says why. */
  readonly ports: readonly number[];
  /** Who may come in. Default: everybody on this machine. */
  readonly entrance?: Entrance;
  /** Where Prometheus may ask for metrics. Default: nowhere. */
  readonly metrics?: { readonly host: string; readonly port: number } | undefined;
  /** Told of every call that is over, with the port that it came to. */
  readonly onCall?: ((port: number, record: CallRecord) => void) | undefined;
}

/** A running group of virtual servers. */
export interface Serving extends Pick<Group, "servers" | "status" | "toggle"> {
  /** Takes no new calls, lets running ones finish for at most 10 s, and ends. */
  drain(): Promise<void>;
  /** Breaks all connections at once and ends. */
  kill(): Promise<void>;
}

/**
 * Starts a group of virtual servers. Throws UsageError when there is nothing to serve, or nowhere.
 */
export async function serve(request: ServeRequest, options: ServeOptions = {}): Promise<Serving> {
  const resolved = resolveServeOptions(options, request.ports);
  const { share } = request;
  const entrance = await openEntrance(request.entrance ?? {}, resolved);
  const shared =
    "file" in share
      ? await shareFile(share.file, hashFile)
      : await shareFolder(share.folder, hashFile);
  const end = new AbortController();
  const manifests = new Manifests({
    store: manifestCache(options.cacheFolder ?? defaultCacheFolder()),
    clock: systemClock,
    signal: end.signal,
    onProgress: (progress) => resolved.onEvent({ event: "hashing", ...progress }),
  });
  let metrics: Metrics | undefined;
  let group: Group | undefined;
  const finish = async () => {
    end.abort();
    metrics?.close();
    entrance[Symbol.dispose]();
    await shared.close();
  };
  try {
    const replica = new LocalReplica(shared, manifests);
    // Loaded only now: gRPC takes longer to load than all the rest, and not every command needs it.
    const { listenReplica } = await import("../grpc/replica-server.js");
    const { SendMemory } = await import("../grpc/read-wire.js");
    const bounds = { ...limits, connections: resolved.maxConnections };
    const { doors, hasReflection } = entrance;
    const how = { bounds, doors, hasReflection, memory: new SendMemory() };
    const listen: Listen = (served, at) =>
      listenReplica(served, at, {
        ...how,
        onCall: (record) => {
          request.onCall?.(at.port, record);
          metrics?.count(at.port, record);
        },
      });
    const world = { clock: systemClock, checkPort, listen };
    // Before the group says that it listens: whoever reads that may ask for metrics.
    metrics = await metricsOf(request, { servers: () => group?.status() ?? [], manifests });
    const started = await startGroup(replica, request.ports, world, resolved);
    group = started;
    if ("file" in share) hashAhead(shared, manifests);
    return {
      servers: started.servers,
      status: () => started.status(),
      toggle: (number) => started.toggle(number),
      drain: () => started.drain().then(finish),
      kill: async () => {
        started.kill();
        await finish();
      },
    };
  } catch (error) {
    await finish();
    throw error;
  }
}

/** Metrics tell who reads how much: beyond this machine only where carelessness is asked for. */
async function metricsOf(
  { metrics: at, entrance }: ServeRequest,
  { servers, manifests }: Pick<Gauged, "servers"> & { readonly manifests: Manifests },
): Promise<Metrics | undefined> {
  if (at === undefined) return undefined;
  if (!isLoopback(await addressOf(at.host)) && entrance?.isInsecure !== true) {
    throw new UsageError(`serve: --metrics ${at.host}: beyond this machine: needs --insecure`);
  }
  const { serveMetrics } = await import("../grpc/metrics.js");
  const hashing = () => manifests.inFlight;
  return serveMetrics(at, { servers, hashing }).catch((error: unknown) => {
    const where = endpointText(at.host, at.port);
    throw new UsageError(`serve: --metrics ${where}: ${messageOf(error)}`, { cause: error });
  });
}

/** The one file will be asked for: its hash may be ready before the first client is. */
function hashAhead(shared: SharedFolder, manifests: Manifests): void {
  const hashed = shared.onlyName().then(async (name) => {
    if (name !== undefined) await manifests.of(name, () => shared.open(name));
  });
  // Told HASHING, or any failure, is whoever asks for the file.
  hashed.catch(() => {});
}
