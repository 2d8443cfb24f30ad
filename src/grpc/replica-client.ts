/**
 * A replica at the other end of a wire. Whatever comes from there is a stranger's word until
 * checked.
 */

import { limits } from "../limits.js";
import {
  type FileEntry,
  type FilePage,
  type ListedPieces,
  type ListRequest,
  type NamedClaim,
  type PiecesRequest,
  type Replica,
  ReplicaFault,
} from "../ports.js";
import { digestBytes } from "../trust/digest.js";
import { parseClaim } from "../trust/manifest.js";
import type { ClientTls } from "./channel.js";
import { ReadMemory } from "./express/read-memory.js";
import { isLeftToGrpc } from "./express/tls-socket.js";
import { ExpressWay } from "./express-way.js";
import { Lane } from "./lane.js";
import type { Route } from "./route.js";
import type { Questions } from "./way.js";

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
  /** Whether the express way is taken. Default: yes. */
  readonly isExpress?: boolean;
  /** What the express way reads into. Default: memory of its own. */
  readonly memory?: ReadMemory;
}

/** The replica at an address. Connects when first asked. */
export function connectReplica(
  host: string,
  port: number,
  { tls, token, isExpress = true, memory = new ReadMemory() }: ConnectOptions = {},
): RemoteReplica {
  const route: Route = { host, port, tls, token };
  const openOrdinary = async () => {
    const { openOrdinaryWay } = await import("./ordinary-way.js");
    return openOrdinaryWay(route);
  };
  const openLane = () => {
    const isTaken = isExpress && (tls === undefined || !isLeftToGrpc(tls));
    return new Lane(isTaken ? new ExpressWay(route, memory) : undefined, openOrdinary);
  };
  const first = openLane();
  // Streams on one connection share its window and its losses.
  const lanes = new Map([[0, first]]);
  const laneOf = (number: number): Lane => {
    const lane = lanes.get(number) ?? openLane();
    lanes.set(number, lane);
    return lane;
  };
  return {
    claim: (name, call) => first.ask(call, (questions) => claim(questions, name)),
    size: (name, call) => first.ask(call, (questions) => size(questions, name)),
    pieces: (request, call) => first.ask(call, (questions) => pieces(questions, request)),
    list: (request, call) => first.ask(call, (questions) => list(questions, request)),
    read: (request, call) => laneOf(call.lane ?? 0).read(request, call),
    close: () => {
      for (const lane of lanes.values()) lane.close();
    },
  };
}

async function claim(questions: Questions, name: string): Promise<NamedClaim> {
  const response = await questions.getChecksum({ name });
  // A server with the core calls only may leave the size to GetSize.
  const isLeftOut = response.size === 0n && response.pieceRoot === "";
  const asked = isLeftOut ? (await questions.getSize({ name })).size : response.size;
  const { digest, pieceSize: pieceBytes, pieceRoot: root, prefixRoot, version } = response;
  const parsed = parseClaim({ size: asked, digest, pieceBytes, root, prefixRoot });
  if ("problem" in parsed) throw incompatible(parsed.problem);
  return { name: response.name, claim: parsed, version };
}

async function size(questions: Questions, name: string): Promise<FileEntry> {
  const response = await questions.getSize({ name });
  return { name: response.name, size: safeNumber(response.size, "its size") };
}

async function pieces(
  questions: Questions,
  { name, first, count, ifDigest, withPrefixes = false }: PiecesRequest,
): Promise<ListedPieces> {
  const digests = new Uint8Array(count * digestBytes);
  let prefixes = withPrefixes ? new Uint8Array(digests.length) : undefined;
  let filled = 0;
  const wanted = { name, first: BigInt(first), count: BigInt(count), withPrefixes };
  const asked = { ...wanted, ifDigest: ifDigest ?? "" };
  for await (const message of questions.listPieces(asked)) {
    const isInOrder = message.first === BigInt(first + filled / digestBytes);
    if (!isInOrder || message.digests.length > digests.length - filled) {
      throw new ReplicaFault({
        kind: "short",
        detail: "its piece list is out of order or too long",
      });
    }
    digests.set(message.digests, filled);
    // Who gives none, or not one a piece, gives what pieces can be checked by all the same.
    if (message.prefixes.length === message.digests.length) prefixes?.set(message.prefixes, filled);
    else prefixes = undefined;
    filled += message.digests.length;
  }
  if (filled === digests.length) return { digests, prefixes };
  throw new ReplicaFault({ kind: "short", detail: "its piece list ended early" });
}

async function list(
  questions: Questions,
  { pageSize, pageToken, prefix }: ListRequest,
): Promise<FilePage> {
  const response = await questions.listFiles({ pageSize, pageToken, prefix });
  const files = response.files.map(({ name, size }) => {
    return { name, size: safeNumber(size, "the size of a file") };
  });
  return { files, nextPageToken: response.nextPageToken };
}

function safeNumber(value: bigint, what: string): number {
  if (value <= BigInt(limits.fileBytes)) return Number(value);
  throw incompatible(`${what}, ${value}, is beyond any that this client takes`);
}

function incompatible(detail: string): ReplicaFault {
  return new ReplicaFault({ kind: "incompatible", detail });
}
