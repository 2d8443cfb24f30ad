/** Puts a replica on a port: the five calls, health and reflection, within bounds. */

import { logVerbosity, setLogVerbosity } from "@grpc/grpc-js";
import {
  type CallContext,
  createServer,
  ServerError,
  type ServerMiddlewareCall,
  Status,
} from "nice-grpc";
import { Health } from "../../gen/grpc/health/v1/health_pb.js";
import { ServerReflection } from "../../gen/grpc/reflection/v1/reflection_pb.js";
import { limits } from "../limits.js";
import type { Replica } from "../ports.js";
import type { ListeningServer, OnCall } from "../server-ports.js";
import { recorded } from "./call-record.js";
import { serverOptions } from "./channel.js";
import { type ConnectionBounds, Connections, type OpenStream, streamKey } from "./connections.js";
import { Doors } from "./doors.js";
import { createHealth } from "./health.js";
import { bindProblem } from "./port-check.js";
import type { Reads } from "./read-stream.js";
import { SendMemory } from "./read-wire.js";
import { createReflection } from "./reflection.js";
import { replicaCalls, replicaDefinition } from "./replica-calls.js";
import { endpointText } from "./resolve.js";
import { definitionOf } from "./service.js";

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

/** How a server listens. */
export interface ListenOptions {
  /** What connections may cost. Default: as in `limits.ts`. */
  readonly bounds?: ConnectionBounds;
  /** Who may come in. Default: everybody, in plain text. */
  readonly doors?: Doors;
  /** Whether clients may ask what the services look like. Default: yes. */
  readonly hasReflection?: boolean;
  /** Shared by the virtual servers of a process. Default: its own. */
  readonly memory?: SendMemory;
  /** Told of every call that is over. */
  readonly onCall?: OnCall;
}

/** Listens; rejects with the reason when the port cannot be had. */
export async function listenReplica(
  replica: Replica,
  { host, port }: { readonly host: string; readonly port: number },
  options: ListenOptions = {},
): Promise<ListeningServer> {
  // grpc-js writes to stderr by itself, in the middle of a live view; we say what matters
  // ourselves.
  setLogVerbosity(logVerbosity.NONE);
  const { doors = new Doors({}), hasReflection = true, onCall = () => {} } = options;
  const reads: Reads = { isOver: false, memory: options.memory ?? new SendMemory() };
  const connections = new Connections(options.bounds, () => reads.memory.forget());
  const health = createHealth(services);
  const server = createServer(serverOptions).use((call, context) => {
    const open = connections.streamOf(context.metadata.get(streamKey));
    const run = () => admitted(call, context, { open, doors });
    // Messages pass through as they come; that a call with one answer returns it, and a stream
    // none, is nice-grpc's own union, which no generic code can narrow.
    return recorded(call, context, { run, onCall, open } as never) as never;
  });
  server.add(
    replicaDefinition,
    replicaCalls(replica, { reads, connections, onDiskFault: health.trouble }),
  );
  server.add(healthDefinition, health.implementation);
  if (hasReflection) {
    const reflection = createReflection(services);
    server.add(reflectionDefinition, reflection);
    server.add(reflectionAlphaDefinition, reflection);
  }
  const bound = await connections.watching(
    () => server.listen(endpointText(host, port), doors.credentials()).catch(failToBind),
    (http2Server) => doors.attach(http2Server),
  );
  return {
    port: bound,
    died: connections.died,
    async drain(ms) {
      health.stopServing();
      connections.isEnding = true;
      // Those that are left are told to go on elsewhere, just before they are cut off.
      const timers = [
        setTimeout(() => {
          reads.isOver = true;
        }, ms * lastWordShare),
        setTimeout(() => server.forceShutdown(), ms),
      ];
      try {
        await server.shutdown();
      } finally {
        connections.close();
        for (const timer of timers) clearTimeout(timer);
      }
    },
    kill() {
      connections.isEnding = true;
      connections.close();
      server.forceShutdown();
    },
  };
}

/** Of the time for draining, how much reads may go on for as if nothing was. */
const lastWordShare = 0.9;

function failToBind(error: unknown): never {
  throw new Error(error instanceof Error ? bindProblem(error) : String(error), { cause: error });
}

/** Lets a call in that may come in, and whose headers are within bounds. */
async function* admitted<Request, Response>(
  call: ServerMiddlewareCall<Request, Response>,
  context: CallContext,
  { open, doors }: { readonly open: OpenStream | undefined; readonly doors: Doors },
) {
  if (open !== undefined) open.hasBegun = true;
  if (bytesOf(context) > limits.requestHeaderBytes) {
    throw new ServerError(Status.RESOURCE_EXHAUSTED, "the request's headers are too large");
  }
  if (!doors.admits(context.metadata)) {
    const why = context.metadata.has("authorization")
      ? "its token is none of those that are known"
      : "a token is needed";
    throw new ServerError(Status.UNAUTHENTICATED, why);
  }
  return yield* call.next(call.request, context);
}

/** As HTTP/2 counts it: 32 bytes for each line, beside name and value. */
function bytesOf({ metadata }: CallContext): number {
  let bytes = 0;
  for (const [name, values] of metadata) {
    for (const value of values) bytes += name.length + value.length + 32;
  }
  return bytes;
}
