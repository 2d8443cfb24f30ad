/**
 * A replica at the other end of a wire. Whatever comes from there is a stranger's word until
 * checked.
 */

import {
  type CallOptions,
  type Channel,
  type Client,
  createClientFactory,
  Metadata,
} from "nice-grpc";
import { ReplicaService } from "../../gen/quorate/v1/replica_pb.js";
import { limits } from "../limits.js";
import {
  type Call,
  type Chunk,
  type FileEntry,
  type FilePage,
  type ListRequest,
  type NamedClaim,
  type PiecesRequest,
  type ReadRequest,
  type Replica,
  ReplicaFault,
} from "../ports.js";
import type { LateClock } from "../schedule/faults.js";
import { digestBytes } from "../trust/digest.js";
import { parseClaim } from "../trust/manifest.js";
import type { PieceDigests } from "../trust/merkle.js";
import { type ClientTls, openChannel } from "./channel.js";
import { definitionOf } from "./service.js";
import { faultOfClientError } from "./status.js";

/** A remote replica, until it is closed. */
export interface RemoteReplica extends Replica {
  close(): void;
}

const definition = definitionOf(ReplicaService);

/** The replica at an address. Connects when first asked. */
export function connectReplica(
  host: string,
  port: number,
  {
    tls,
    token,
  }: { readonly tls?: ClientTls | undefined; readonly token?: string | undefined } = {},
): RemoteReplica {
  const factory = createClientFactory().use((call, options) => {
    if (token === undefined) return call.next(call.request, options);
    const metadata = Metadata(options.metadata).set("authorization", `Bearer ${token}`);
    return call.next(call.request, { ...options, metadata });
  });
  const lanes = new Map<number, { readonly channel: Channel; readonly client: ReplicaClient }>();
  const clientOn = (lane: number): ReplicaClient => {
    const open = lanes.get(lane);
    if (open !== undefined) return open.client;
    const channel = openChannel(host, port, tls);
    const made = { channel, client: factory.create(definition, channel) };
    lanes.set(lane, made);
    return made.client;
  };
  const client = clientOn(0);
  return {
    claim: (name, call) => within(call, "answer", (options) => claim(client, name, options)),
    size: (name, call) => within(call, "answer", (options) => size(client, name, options)),
    pieces: (request, call) =>
      within(call, "answer", (options) => pieces(client, request, options)),
    list: (request, call) => within(call, "answer", (options) => list(client, request, options)),
    // Streams on one connection share its window and its losses.
    read: (request, call) => read(clientOn(call.lane ?? 0), request, call),
    close: () => {
      for (const { channel } of lanes.values()) channel.close();
    },
  };
}

type ReplicaClient = Client<typeof definition>;

async function claim(
  client: ReplicaClient,
  name: string,
  options: CallOptions,
): Promise<NamedClaim> {
  const response = await client.getChecksum({ name }, options);
  // A server with the core calls only may leave the size to GetSize.
  const size = response.size === 0n && response.pieceRoot === "" ? client.getSize : undefined;
  const asked = size === undefined ? response.size : (await size({ name }, options)).size;
  const { digest, pieceSize: pieceBytes, pieceRoot: root, version } = response;
  const parsed = parseClaim({ size: asked, digest, pieceBytes, root });
  if ("problem" in parsed) throw incompatible(parsed.problem);
  return { name: response.name, claim: parsed, version };
}

async function size(client: ReplicaClient, name: string, options: CallOptions): Promise<FileEntry> {
  const response = await client.getSize({ name }, options);
  return { name: response.name, size: safeNumber(response.size, "its size") };
}

async function pieces(
  client: ReplicaClient,
  { name, first, count, ifDigest }: PiecesRequest,
  options: CallOptions,
): Promise<PieceDigests> {
  const digests = new Uint8Array(count * digestBytes);
  let filled = 0;
  const request = { name, first: BigInt(first), count: BigInt(count), ifDigest: ifDigest ?? "" };
  for await (const message of client.listPieces(request, options)) {
    const isInOrder = message.first === BigInt(first + filled / digestBytes);
    if (!isInOrder || message.digests.length > digests.length - filled) {
      throw new ReplicaFault({
        kind: "short",
        detail: "its piece list is out of order or too long",
      });
    }
    digests.set(message.digests, filled);
    filled += message.digests.length;
  }
  if (filled === digests.length) return digests;
  throw new ReplicaFault({ kind: "short", detail: "its piece list ended early" });
}

async function list(
  client: ReplicaClient,
  { pageSize, pageToken, prefix }: ListRequest,
  options: CallOptions,
): Promise<FilePage> {
  const response = await client.listFiles({ pageSize, pageToken, prefix }, options);
  const files = response.files.map(({ name, size }) => {
    return { name, size: safeNumber(size, "the size of a file") };
  });
  return { files, nextPageToken: response.nextPageToken };
}

async function* read(
  client: ReplicaClient,
  { name, range, ifDigest }: ReadRequest,
  call: Call,
): AsyncGenerator<Chunk> {
  // On the wire, a length of 0 would ask for everything up to the end.
  if (range.start === range.end) return;
  const request = {
    name,
    offset: BigInt(range.start),
    length: BigInt(range.end - range.start),
    ifDigest: ifDigest ?? "",
  };
  using deadline = new Deadline(call, "lease");
  try {
    for await (const { offset, data } of client.readRange(request, deadline.options)) {
      deadline.throwIfOver();
      yield { offset: Number(offset), bytes: data };
    }
  } catch (error) {
    throw deadline.faultOf(error);
  }
}

async function within<Result>(
  call: Call,
  clock: LateClock,
  run: (options: CallOptions) => Promise<Result>,
): Promise<Result> {
  using deadline = new Deadline(call, clock);
  try {
    return await run(deadline.options);
  } catch (error) {
    throw deadline.faultOf(error);
  }
}

/**
 * Ends a call when its time is up or its signal says so, and tells the server how long it has: a
 * `grpc-timeout` of our own, because nice-grpc's deadline stays on this side.
 */
class Deadline implements Disposable {
  readonly options: CallOptions;
  readonly #call: Call;
  readonly #clock: LateClock;
  readonly #abort = new AbortController();
  readonly #timer: NodeJS.Timeout;
  readonly #onAbort = () => this.#abort.abort();
  readonly #startedAt = performance.now();
  #isOver = false;
  #trailer: Metadata | undefined;

  constructor(call: Call, clock: LateClock) {
    call.signal.throwIfAborted();
    this.#call = call;
    this.#clock = clock;
    // Beyond 2^31-1 ms the server's timer wraps, and the stream dies at once; eight digits fit the
    // header.
    const ms = Math.max(1, Math.min(Math.ceil(call.deadlineMs), 99_999_999));
    this.#timer = setTimeout(() => {
      this.#isOver = true;
      this.#abort.abort();
    }, ms);
    call.signal.addEventListener("abort", this.#onAbort, { once: true });
    this.options = {
      signal: this.#abort.signal,
      metadata: Metadata({ "grpc-timeout": `${ms}m` }),
      onTrailer: (trailer) => {
        this.#trailer = trailer;
      },
    };
  }

  /** After an abort, nice-grpc still yields what it had queued. */
  throwIfOver(): void {
    if (this.#abort.signal.aborted) throw this.#reason();
  }

  /**
   * What an error of the call means: the caller's own abort, a deadline, or what the server said.
   */
  faultOf(error: unknown): unknown {
    if (this.#abort.signal.aborted) return this.#reason();
    if (error instanceof ReplicaFault) return error;
    const failed = faultOfClientError(error, this.#trailer);
    return failed.fault.kind === "late" ? this.#late(failed) : failed;
  }

  [Symbol.dispose](): void {
    clearTimeout(this.#timer);
    this.#call.signal.removeEventListener("abort", this.#onAbort);
  }

  #reason(): unknown {
    if (!this.#isOver) return this.#call.signal.reason;
    return this.#late(undefined);
  }

  #late(cause: unknown): ReplicaFault {
    const waitedMs = performance.now() - this.#startedAt;
    return new ReplicaFault({ kind: "late", clock: this.#clock, waitedMs }, { cause });
  }
}

function safeNumber(value: bigint, what: string): number {
  if (value <= BigInt(limits.fileBytes)) return Number(value);
  throw incompatible(`${what}, ${value}, is beyond any that this client takes`);
}

function incompatible(detail: string): ReplicaFault {
  return new ReplicaFault({ kind: "incompatible", detail });
}
