/** Answers the five calls from a replica: messages in and out, faults as statuses. */

import { type CallContext, ServerError, type ServiceImplementation } from "nice-grpc";
import { ReplicaService } from "../../gen/quorate/v1/replica_pb.js";
import { limits } from "../limits.js";
import { type Call, type Replica, ReplicaFault } from "../ports.js";
import { digestBytes } from "../trust/digest.js";
import { pieceBytesFor } from "../trust/manifest.js";
import { unforeseenError } from "./call-record.js";
import type { Connections } from "./connections.js";
import { addressOfPeer, clientOf } from "./peer.js";
import { type Reads, sendRange } from "./read-stream.js";
import { ifDigestOf, offsetOf } from "./request.js";
import { definitionOf } from "./service.js";
import { serverErrorOf } from "./status.js";

export const replicaDefinition = definitionOf(ReplicaService);

/** The service of one server over a replica. */
export function replicaCalls(
  replica: Replica,
  shared: { readonly reads: Reads; readonly connections: Connections; onDiskFault: () => void },
): ServiceImplementation<typeof replicaDefinition> {
  return {
    getChecksum: ({ name }, context) =>
      answering({ name, context, ...shared }, async (call) => {
        const { name: served, claim, version } = await replica.claim(name, call);
        const { size, digest, root, prefixRoot = "" } = claim;
        const pieceSize = BigInt(pieceBytesFor(size));
        const pieces = root === undefined ? {} : { pieceRoot: root, pieceSize, prefixRoot };
        return { name: served, digest, size: BigInt(size), version, ...pieces };
      }),
    getSize: ({ name }, context) =>
      answering({ name, context, ...shared }, async (call) => {
        const entry = await replica.size(name, call);
        return { name: entry.name, size: BigInt(entry.size) };
      }),
    // biome-ignore lint/correctness/useYield: its messages go on its own stream.
    async *readRange(request, context) {
      try {
        await sendRange(replica, request, context, { call: callOf(context), ...shared });
      } catch (error) {
        throw errorOf(error, request.name, context, shared);
      }
    },
    async *listPieces({ name, first, count, ifDigest, withPrefixes }, context) {
      const call = callOf(context);
      try {
        const start = offsetOf(first);
        const known = ifDigestOf(ifDigest);
        const wanted =
          count === 0n ? await restOfPieces(replica, name, start, call) : offsetOf(count);
        const request = { name, first: start, count: wanted, ifDigest: known, withPrefixes };
        const { digests, prefixes } = await replica.pieces(request, call);
        const step = limits.pieceDigestsPerMessage * digestBytes;
        for (let from = 0; from < digests.length; from += step) {
          const index = BigInt(start + from / digestBytes);
          const end = from + step;
          yield {
            first: index,
            digests: digests.subarray(from, end),
            ...(prefixes === undefined ? {} : { prefixes: prefixes.subarray(from, end) }),
          };
        }
      } catch (error) {
        throw errorOf(error, name, context, shared);
      }
    },
    listFiles: ({ pageSize, pageToken, prefix }, context) =>
      answering({ name: "", context, ...shared }, async (call) => {
        const page = await replica.list({ pageSize, pageToken, prefix }, call);
        const files = page.files.map(({ name, size }) => ({ name, size: BigInt(size) }));
        return { files, nextPageToken: page.nextPageToken };
      }),
  };
}

async function restOfPieces(replica: Replica, name: string, first: number, call: Call) {
  const { size } = await replica.size(name, call);
  return Math.max(0, Math.ceil(size / pieceBytesFor(size)) - first);
}

/** The deadline is the server's own to keep: grpc-js ends the call when the client's time is up. */
function callOf({ signal, peer }: CallContext): Call {
  return { signal, deadlineMs: limits.leaseMs, client: clientOf(addressOfPeer(peer)) };
}

interface Answering {
  readonly name: string;
  readonly context: CallContext;
  readonly onDiskFault: () => void;
}

async function answering<Answer>(
  { name, context, onDiskFault }: Answering,
  answer: (call: Call) => Promise<Answer>,
): Promise<Answer> {
  try {
    return await answer(callOf(context));
  } catch (error) {
    throw errorOf(error, name, context, { onDiskFault });
  }
}

/** No failure of a call may be more than an answer: what we did not foresee becomes INTERNAL. */
function errorOf(
  error: unknown,
  name: string,
  { signal, trailer }: CallContext,
  { onDiskFault }: { readonly onDiskFault: () => void },
): unknown {
  if (error instanceof ServerError || signal.aborted) return error;
  if (!(error instanceof ReplicaFault)) return unforeseenError(error);
  // Our own replica calls nothing corrupt but what the disk would not give.
  if (error.fault.kind === "corrupt") onDiskFault();
  return serverErrorOf(error.fault, name, trailer);
}
