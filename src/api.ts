/** The use cases, wired to the real wire, disk, threads and clock: what `index.ts` offers. */

import { download as downloadWith } from "./download/download.js";
import { thenLetGo } from "./download/let-go.js";
import { list as listWith, type Offers } from "./download/list.js";
import { checkRequest, type DownloadOptions, resolveOptions } from "./download/options.js";
import type { OnEvent, Receipt } from "./download/progress.js";
import { type Survey, survey as surveyWith } from "./download/survey.js";
import { type Verification, verify as verifyWith } from "./download/verify.js";
import { UsageError } from "./errors.js";
import {
  checkReadable,
  type DigestFileOptions,
  digestFile as digestFileWith,
} from "./files/local-file.js";
import { defaultCacheFolder, manifestCache } from "./files/manifest-cache.js";
import { openPartialFile } from "./files/partial-file.js";
import { type SharedFolder, shareFile, shareFolder } from "./files/shared-folder.js";
import { checkTarget, resolveTarget } from "./files/target.js";
import { checkPort } from "./grpc/port-check.js";
import type { RemoteReplica } from "./grpc/replica-client.js";
import { addressOf, endpointText } from "./grpc/resolve.js";
import { type Group, startGroup } from "./serve/group.js";
import { LocalReplica } from "./serve/local-replica.js";
import { Manifests } from "./serve/manifests.js";
import { resolveServeOptions, type ServeOptions } from "./serve/options.js";
import { systemClock, systemRandom } from "./system.js";
import { hashFile } from "./threads/hash-file.js";
import type { FileManifest } from "./trust/manifest.js";
import { type ReplicaId, replicaId } from "./trust/quorum.js";

/** Where a replica is. The same address given twice counts once. */
export interface Address {
  /** A name or an IP address. */
  readonly host: string;
  /** 1–65535. */
  readonly port: number;
}

/** What to get, from whom, and where to put it. */
export interface GetRequest {
  readonly replicas: readonly Address[];
  readonly name: string;
  /** A folder, or the path of the file. */
  readonly output: string;
  /** Whether an existing regular file may be replaced. Default: no. */
  readonly force?: boolean;
  /** Whether an earlier run's partial is taken up. Default: yes; otherwise it is set aside. */
  readonly resume?: boolean;
}

/** Gets a file; see `download/download.ts` for what it promises and what it throws. */
export async function download(request: GetRequest, options?: DownloadOptions): Promise<Receipt> {
  const { name, output, force: isForced = false, resume: resumes = true } = request;
  checkRequest("get", name, request.replicas.length);
  const target = await resolveTarget(output, name);
  // Before anybody is asked: what cannot be written need not be fetched.
  await checkTarget(target, isForced);
  const world = {
    clock: systemClock,
    random: systemRandom,
    openPartial: (manifest: Parameters<typeof openPartialFile>[1]["manifest"]) =>
      openPartialFile(target, { manifest, isForced, resumes }),
  };
  return withReplicas(
    request.replicas,
    (replicas) => downloadWith({ name, replicas }, world, options),
    options?.onEvent,
  );
}

/** Asks who claims what; does not insist on a quorum. */
export async function survey(
  request: Pick<GetRequest, "replicas" | "name">,
  options?: DownloadOptions,
): Promise<Survey> {
  const { name } = request;
  checkRequest("survey", name, request.replicas.length);
  const resolved = resolveOptions(options);
  return thenLetGo(resolved.signal, (signal) =>
    withReplicas(
      request.replicas,
      (replicas) => surveyWith({ ...resolved, signal, replicas, name, clock: systemClock }),
      options?.onEvent,
    ),
  );
}

/** Compares a local file with what a quorum says it should be. */
export async function verify(
  request: Pick<GetRequest, "replicas" | "name"> & {
    /** The local file. */
    readonly path: string;
  },
  options?: DownloadOptions,
): Promise<Verification> {
  const { name, path } = request;
  const digestLocal = (pieceBytes: number) =>
    digestFileWith(path, hashFile, { pieceBytes, signal: options?.signal });
  // A file that cannot be read is no question for a vote.
  await checkReadable(path);
  return withReplicas(
    request.replicas,
    (replicas) => verifyWith({ name, replicas }, { clock: systemClock, digestLocal }, options),
    options?.onEvent,
  );
}

/** Asks which files there are, and who serves them. */
export async function list(
  request: Pick<GetRequest, "replicas">,
  options: { readonly signal?: AbortSignal } = {},
): Promise<Offers> {
  const signal = options.signal ?? new AbortController().signal;
  return withReplicas(request.replicas, (replicas) =>
    listWith(replicas, { signal, clock: systemClock }),
  );
}

/** Says what a local file is: what replicas that hold it should claim. */
export function digestFile(path: string, options?: DigestFileOptions): Promise<FileManifest> {
  return digestFileWith(path, hashFile, options);
}

/** What to serve, and where. */
export interface ServeRequest {
  /** One file, or a folder with all regular files below it that are not hidden. */
  readonly share: { readonly file: string } | { readonly folder: string };
  /** One virtual server each; bad and busy ones are dropped, with an event that says why. */
  readonly ports: readonly number[];
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
  const shared =
    "file" in share
      ? await shareFile(share.file, hashFile)
      : await shareFolder(share.folder, hashFile);
  const end = new AbortController();
  const manifests = new Manifests({
    store: manifestCache(options.cacheFolder ?? defaultCacheFolder()),
    signal: end.signal,
    onProgress: (progress) => resolved.onEvent({ event: "hashing", ...progress }),
  });
  const finish = async () => {
    end.abort();
    await shared.close();
  };
  try {
    const replica = new LocalReplica(shared, manifests);
    // Loaded only now: gRPC takes longer to load than all the rest, and not every command needs it.
    const { listenReplica } = await import("./grpc/replica-server.js");
    const world = { clock: systemClock, checkPort, listen: listenReplica };
    const group = await startGroup(replica, request.ports, world, resolved);
    if ("file" in share) hashAhead(shared, manifests);
    return {
      servers: group.servers,
      status: () => group.status(),
      toggle: (number) => group.toggle(number),
      drain: () => group.drain().then(finish),
      kill: async () => {
        group.kill();
        await finish();
      },
    };
  } catch (error) {
    await finish();
    throw error;
  }
}

/** The one file will be asked for: its hash may be ready before the first client is. */
function hashAhead(shared: SharedFolder, manifests: Manifests): void {
  const hashed = shared.onlyName().then(async (name) => {
    if (name !== undefined) await manifests.of(name, () => shared.open(name));
  });
  // Told HASHING, or any failure, is whoever asks for the file.
  hashed.catch(() => {});
}

/** Connects to each replica once, however often and under whatever names its address was given. */
async function withReplicas<Result>(
  addresses: readonly Address[],
  use: (replicas: ReadonlyMap<ReplicaId, RemoteReplica>) => Promise<Result>,
  onEvent: OnEvent = () => {},
): Promise<Result> {
  for (const { port } of addresses) {
    if (!Number.isInteger(port) || port < 1 || port > 65535) {
      throw new UsageError(`port ${port}: a port is a number from 1 to 65535`);
    }
  }
  const { connectReplica } = await import("./grpc/replica-client.js");
  const places = await Promise.all(
    addresses.map(async ({ host, port }) => endpointText(await addressOf(host), port)),
  );
  const known = new Map<string, ReplicaId>();
  const replicas = new Map<ReplicaId, RemoteReplica>();
  try {
    for (const [index, { host, port }] of addresses.entries()) {
      const id = replicaId(endpointText(host.toLowerCase(), port));
      const place = places[index] ?? id;
      const into = known.get(place);
      if (into === undefined) {
        known.set(place, id);
        replicas.set(id, connectReplica(host, port));
      } else if (into !== id) onEvent({ event: "merged", replica: id, into });
    }
    return await use(replicas);
  } finally {
    for (const replica of replicas.values()) replica.close();
  }
}
