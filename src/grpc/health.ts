/**
 * The standard health service: tells load balancers and people whether a virtual server takes
 * calls.
 */

import { type CallContext, ServerError, type ServiceImplementation, Status } from "nice-grpc";
import {
  type Health,
  HealthCheckResponse_ServingStatus as ServingStatus,
} from "../../gen/grpc/health/v1/health_pb.js";
import { limits } from "../limits.js";
import type { ServiceDefinition } from "./service.js";

/** Health of one server. */
export interface ServerHealth {
  readonly implementation: ServiceImplementation<ServiceDefinition<typeof Health>>;
  /** From now on it takes no new calls; whoever watches is told. */
  stopServing(): void;
  /** A disk failed: for a while, whoever asks is told to go elsewhere. It serves all the same. */
  trouble(): void;
}

/**
 * Health of a server with these services, serving from the start. `troubleMs`: how long it is
 * marked after a disk failed; 30 s by default.
 */
export function createHealth(
  services: readonly string[],
  troubleMs: number = limits.diskTroubleMs,
): ServerHealth {
  let isServing = true;
  let recovery: NodeJS.Timeout | undefined;
  const watching = new Set<() => void>();
  const status = () =>
    isServing && recovery === undefined ? ServingStatus.SERVING : ServingStatus.NOT_SERVING;
  const tellWatchers = () => {
    for (const end of [...watching]) end();
  };
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
        for (let told: ServingStatus | undefined; !signal.aborted; ) {
          const now = isKnown ? status() : ServingStatus.SERVICE_UNKNOWN;
          if (now !== told) {
            yield { status: now };
            told = now;
            // It may have changed while that was on its way.
            continue;
          }
          // Nothing comes after the end.
          if (!isServing) return;
          if (!signal.aborted) await untilTold(watching, signal);
        }
      },
    },
    stopServing() {
      isServing = false;
      clearTimeout(recovery);
      tellWatchers();
    },
    trouble() {
      clearTimeout(recovery);
      recovery = setTimeout(() => {
        recovery = undefined;
        tellWatchers();
      }, troubleMs).unref();
      tellWatchers();
    },
  };
}

/** Until it changes or the watcher leaves, who takes along what stood here for it. */
function untilTold(watching: Set<() => void>, left: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const end = () => {
      watching.delete(end);
      left.removeEventListener("abort", end);
      resolve();
    };
    watching.add(end);
    left.addEventListener("abort", end, { once: true });
  });
}
