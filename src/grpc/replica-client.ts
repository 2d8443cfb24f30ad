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
  type FileEntry,
  type FilePage,
  type ListRequest,
  type NamedClaim,
  type PiecesRequest,
  type Replica,
  ReplicaFault,
} from "../ports.js";
import type { LateClock } from "../schedule/faults.js";
import { digestBytes } from "../trust/digest.js";
import { parseClaim } from "../trust/manifest.js";
import type { PieceDigests } from "../trust/merkle.js";
import { type ClientTls, openChannel } from "./channel.js";
import { Deadline } from "./deadline.js";
import { ReadLane } from "./read-lane.js";
import { definitionOf } from "./service.js";

/** A remote replica, until it is closed. */
export interface RemoteReplica extends Replica {
  close(): void;
}

/** How a replica is reached. */
export interface ConnectOptions {
  /** Default: in plain text. */
  readonly tls?: ClientTls | undefined;
  /** Shown with each call. Default: none. */
  readonly token?: string | undefined;
  /**
   * The least read that opens an express connection, in bytes; in plain text only. Infinity for
   * none. Default: what a first lease has.
   */
  readonly expressFromBytes?: number;
}

const definition = definitionOf(ReplicaService);
type ReplicaClient = Client<typeof definition>;

/** The replica at an address. Connects when first asked. */
export function connectReplica(
  host: string,
  port: number,
  { tls, token, expressFromBytes = limits.firstLeaseBytes }: ConnectOptions = {},
): RemoteReplica {
  const factory = createClientFactory().use((call, options) => {
    if (token === undefined) return call.next(call.request, options);
    const metadata = Metadata(options.metadata).set("authorization", `Bearer ${token}`);
    return call.next(call.request, { ...options, metadata });
  });
  const channels: Channel[] = [];
  const connect = (): ReplicaClient => {
    const channel = openChannel(host, port, tls);
    channels.push(channel);
    return factory.create(definition, channel);
  };
  const client = connect();
  const route = tls === undefined ? { host, port, token, fromBytes: expressFromBytes } : undefined;
  // Streams on one connection share its window and its losses.
  const lanes = new Map([[0, new ReadLane(() => client, route)]]);
  const laneOf = (number: number): ReadLane => {
    const lane = lanes.get(number) ?? new ReadLane(connect, route);
    lanes.set(number, lane);
    return lane;
  };
  return {
    claim: async (name, call) => {
      const answer = await within(call, "answer", (options) => claim(client, name, options));
      laneOf(0).expect(answer.claim.size);
      return answer;
    },
    size: (name, call) => within(call, "answer", (options) => size(client, name, options)),
    pieces: (request, call) =>
      within(call, "answer", (options) => pieces(client, request, options)),
    list: (request, call) => within(call, "answer", (options) => list(client, request, options)),
    read: (request, call) => laneOf(call.lane ?? 0).read(request, call),
    close: () => {
      for (const lane of lanes.values()) lane.close();
      for (const channel of channels) channel.close();
    },
  };
}

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

function safeNumber(value: bigint, what: string): number {
  if (value <= BigInt(limits.fileBytes)) return Number(value);
  throw incompatible(`${what}, ${value}, is beyond any that this client takes`);
}

function incompatible(detail: string): ReplicaFault {
  return new ReplicaFault({ kind: "incompatible", detail });
}
