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
  let isServing = true;
  const watching = new Set<() => void>();
  const status = () => (isServing ? ServingStatus.SERVING : ServingStatus.NOT_SERVING);
  /** Until it stops or the watcher leaves, who takes along what stood here for it. */
  const untilStopped = (left: AbortSignal) =>
    new Promise<void>((resolve) => {
      const end = () => {
        watching.delete(end);
        left.removeEventListener("abort", end);
        resolve();
      };
      watching.add(end);
      left.addEventListener("abort", end, { once: true });
      if (left.aborted || !isServing) end();
    });
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
      async *watch({ service }, { signal }: CallContext) {
        const isKnown = known.has(service);
        const told = isKnown ? status() : ServingStatus.SERVICE_UNKNOWN;
        yield { status: told };
        await untilStopped(signal);
        if (isKnown && told !== status() && !signal.aborted) yield { status: status() };
      },
    },
    stopServing() {
      isServing = false;
      for (const end of [...watching]) end();
    },
  };
}
