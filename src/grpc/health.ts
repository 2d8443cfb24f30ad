/**
 * The standard health service: tells load balancers and people whether a virtual server takes
 * calls.
 */

import { type CallContext, ServerError, type ServiceImplementation, Status } from "nice-grpc";
import {
  type Health,
  HealthCheckResponse_ServingStatus as ServingStatus,
} from "../../gen/grpc/health/v1/health_pb.js";
import type { ServiceDefinition } from "./service.js";

/** Health of one server. */
export interface ServerHealth {
  readonly implementation: ServiceImplementation<ServiceDefinition<typeof Health>>;
  /** From now on it takes no new calls; whoever watches is told. */
  stopServing(): void;
}

/** Health of a server with these services, serving from the start. */
export function createHealth(services: readonly string[]): ServerHealth {
  const stopped = new AbortController();
  const status = () => (stopped.signal.aborted ? ServingStatus.NOT_SERVING : ServingStatus.SERVING);
  const known = new Set(["", ...services]);
  return {
    implementation: {
      async check({ service }) {
        if (known.has(service)) return { status: status() };
        throw new ServerError(Status.NOT_FOUND, "no such service here");
      },
      async list() {
        const statuses = [...known].map((service) => [service, { status: status() }] as const);
        return { statuses: Object.fromEntries(statuses) };
      },
      async *watch({ service }, context: CallContext) {
        const isKnown = known.has(service);
        yield { status: isKnown ? status() : ServingStatus.SERVICE_UNKNOWN };
        if (isKnown && stopped.signal.aborted) return;
        await Promise.race([aborted(stopped.signal), aborted(context.signal)]);
        if (isKnown && !context.signal.aborted) yield { status: status() };
      },
    },
    stopServing: () => stopped.abort(),
  };
}

function aborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve();
    else signal.addEventListener("abort", () => resolve(), { once: true });
  });
}
