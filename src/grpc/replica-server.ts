/** Puts a replica on a port: the five calls, health and reflection, within bounds. */

import { create } from "@bufbuild/protobuf";
import { logVerbosity, setLogVerbosity } from "@grpc/grpc-js";
import {
  type CallContext,
  createServer,
  ServerError,
  type ServiceImplementation,
  Status,
} from "nice-grpc";
import { Health } from "../../gen/grpc/health/v1/health_pb.js";
import { ServerReflection } from "../../gen/grpc/reflection/v1/reflection_pb.js";
import {
  type ReadRangeRequest,
  ReadRangeResponseSchema,
  ReplicaService,
} from "../../gen/quorate/v1/replica_pb.js";
import { messageOf } from "../errors.js";
import { limits } from "../limits.js";
import { type Call, type Listening, type Replica, ReplicaFault } from "../ports.js";
import { type Digest, digestBytes, parseDigest } from "../trust/digest.js";
import { pieceBytesFor } from "../trust/manifest.js";
import { serverOptions } from "./channel.js";
import { replicaCodecs } from "./codec.js";
import { createHealth } from "./health.js";
import { createReflection } from "./reflection.js";
import { endpointText } from "./resolve.js";
import { definitionOf } from "./service.js";
import { serverErrorOf } from "./status.js";

const replicaDefinition = definitionOf(ReplicaService, replicaCodecs);
const healthDefinition = definitionOf(Health);
const reflectionDefinition = definitionOf(ServerReflection);
/** The older name under which grpcurl before 1.9 and many tools still ask. */
const reflectionAlphaDefinition = {
  ...reflectionDefinition,
  fullName: "grpc.reflection.v1alpha.ServerReflection",
};
const services = [
  replicaDefinition,
  healthDefinition,
  reflectionDefinition,
  reflectionAlphaDefinition,
].map(({ fullName }) => fullName);

/** Listens; rejects with the reason when the port cannot be had. */
export async function listenReplica(
  replica: Replica,
  { host, port }: { readonly host: string; readonly port: number },
): Promise<Listening> {
  // grpc-js writes to stderr by itself, in the middle of a live view; we say what matters
  // ourselves.
  setLogVerbosity(logVerbosity.NONE);
  const server = createServer(serverOptions);
  const health = createHealth(services);
  const reflection = createReflection(services);
  server.add(replicaDefinition, implementationOf(replica));
  server.add(healthDefinition, health.implementation);
  server.add(reflectionDefinition, reflection);
  server.add(reflectionAlphaDefinition, reflection);
  const bound = await server.listen(endpointText(host, port));
  return {
    port: bound,
    async drain(ms) {
      health.stopServing();
      const timer = setTimeout(() => server.forceShutdown(), ms);
      try {
        await server.shutdown();
      } finally {
        clearTimeout(timer);
      }
    },
    kill: () => server.forceShutdown(),
  };
}

function implementationOf(replica: Replica): ServiceImplementation<typeof replicaDefinition> {
  const reads = { inFlight: 0 };
  return {
    getChecksum: ({ name }, context) =>
      answering(name, context, async (call) => {
        const { name: served, claim, version } = await replica.claim(name, call);
        const { size, digest, root } = claim;
        const pieces =
          root === undefined ? {} : { pieceRoot: root, pieceSize: BigInt(pieceBytesFor(size)) };
        return { name: served, digest, size: BigInt(size), version, ...pieces };
      }),
    getSize: ({ name }, context) =>
      answering(name, context, async (call) => {
        const entry = await replica.size(name, call);
        return { name: entry.name, size: BigInt(entry.size) };
      }),
    readRange: (request, context) => readRange(replica, request, context, reads),
    async *listPieces({ name, first, count, ifDigest }, context) {
      const call = callOf(context);
      try {
        const start = offsetOf(first);
        const known = digestOf(ifDigest);
        const wanted =
          count === 0n ? await restOfPieces(replica, name, start, call) : offsetOf(count);
        const digests = await replica.pieces(
          { name, first: start, count: wanted, ifDigest: known },
          call,
        );
        const step = limits.pieceDigestsPerMessage * digestBytes;
        for (let from = 0; from < digests.length; from += step) {
          const index = BigInt(start + from / digestBytes);
          yield { first: index, digests: digests.subarray(from, from + step) };
        }
      } catch (error) {
        throw errorOf(error, name, context);
      }
    },
    listFiles: ({ pageSize, pageToken, prefix }, context) =>
      answering("", context, async (call) => {
        const page = await replica.list({ pageSize, pageToken, prefix }, call);
        const files = page.files.map(({ name, size }) => ({ name, size: BigInt(size) }));
        return { files, nextPageToken: page.nextPageToken };
      }),
  };
}

/**
 * Streams a range; past the bound on reads the client is told to come back, before anything is
 * opened.
 */
async function* readRange(
  replica: Replica,
  { name, offset, length, ifDigest }: ReadRangeRequest,
  context: CallContext,
  reads: { inFlight: number },
) {
  if (reads.inFlight >= limits.readsInFlight) {
    throw serverErrorOf({ kind: "busy", retryMs: 1000 }, name, context.trailer);
  }
  reads.inFlight++;
  const call = callOf(context);
  try {
    const start = offsetOf(offset);
    const end = length === 0n ? (await replica.size(name, call)).size : start + offsetOf(length);
    const range = { start, end: Math.max(start, end) };
    for await (const chunk of replica.read({ name, range, ifDigest: digestOf(ifDigest) }, call)) {
      const { bytes: data } = chunk;
      yield create(ReadRangeResponseSchema, { offset: BigInt(chunk.offset), data });
    }
  } catch (error) {
    throw errorOf(error, name, context);
  } finally {
    reads.inFlight--;
  }
}

async function restOfPieces(replica: Replica, name: string, first: number, call: Call) {
  const { size } = await replica.size(name, call);
  return Math.max(0, Math.ceil(size / pieceBytesFor(size)) - first);
}

/** The deadline is the server's own to keep: grpc-js ends the call when the client's time is up. */
function callOf({ signal }: CallContext): Call {
  return { signal, deadlineMs: limits.leaseMs };
}

async function answering<Answer>(
  name: string,
  context: CallContext,
  answer: (call: Call) => Promise<Answer>,
): Promise<Answer> {
  try {
    return await answer(callOf(context));
  } catch (error) {
    throw errorOf(error, name, context);
  }
}

/** No failure of a call may be more than an answer: what we did not foresee becomes INTERNAL. */
function errorOf(error: unknown, name: string, { signal, trailer }: CallContext): unknown {
  if (error instanceof ServerError || signal.aborted) return error;
  if (error instanceof ReplicaFault) return serverErrorOf(error.fault, name, trailer);
  process.emitWarning(`a call failed in a way that was not foreseen: ${messageOf(error)}`);
  return new ServerError(Status.INTERNAL, "the server failed");
}

/** 64-bit numbers beyond what any file has are out of range, whatever they were meant to be. */
function offsetOf(value: bigint): number {
  if (value <= BigInt(limits.fileBytes)) return Number(value);
  throw new ReplicaFault({ kind: "short", detail: `${value} is beyond any file` });
}

function digestOf(text: string): Digest | undefined {
  if (text === "") return undefined;
  const digest = parseDigest(text);
  if (digest !== undefined) return digest;
  throw new ReplicaFault({
    kind: "incompatible",
    detail: "if_digest is not sha256:<64 hexadecimal digits>",
  });
}
