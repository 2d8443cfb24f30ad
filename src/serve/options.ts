/**
 * Decides what a group of virtual servers was asked for: every option once, checked, with its
 * default.
 */

import { messageOf, UsageError } from "../errors.js";
import { limits } from "../limits.js";
import { type FaultName, faultNames } from "./fault-names.js";
import type { OnServeEvent } from "./serve-events.js";

/** How a group may be tuned. Everything is optional. */
export interface ServeOptions {
  /** The address to listen on. Default: 127.0.0.1. */
  readonly host?: string;
  /** Milliseconds between two status events, at most 2^31 − 1. Default: 5,000. */
  readonly intervalMs?: number;
  /** Bytes per second for each virtual server, at least 1,024. Default: no limit. */
  readonly limitRate?: number;
  /** Bytes per second for each client address, over all virtual servers. Default: no limit. */
  readonly limitRateClient?: number;
  /** Reads in flight, over all virtual servers. Default: 256. */
  readonly maxReads?: number;
  /** Reads in flight for one client address. Default: 64, or two for each virtual server. */
  readonly maxClientReads?: number;
  /** Connections to each virtual server. Default: 256. */
  readonly maxConnections?: number;
  /** Virtual servers to break on purpose, by port. */
  readonly faults?: ReadonlyMap<number, FaultName>;
  /** Where manifests are remembered across restarts. Default: the user's cache folder. */
  readonly cacheFolder?: string;
  /** Told everything that happens. What it throws becomes a warning, and stops nothing. */
  readonly onEvent?: OnServeEvent;
}

/** The same, complete but for the cache folder. */
export interface ResolvedServeOptions {
  readonly host: string;
  readonly intervalMs: number;
  readonly limitRate: number | undefined;
  readonly limitRateClient: number | undefined;
  readonly maxReads: number;
  readonly maxClientReads: number;
  readonly maxConnections: number;
  readonly faults: ReadonlyMap<number, FaultName>;
  readonly onEvent: OnServeEvent;
}

const longestTimerMs = 2 ** 31 - 1;

/** Fills in defaults; throws UsageError for whatever makes no sense. */
export function resolveServeOptions(
  options: ServeOptions,
  ports: readonly number[],
): ResolvedServeOptions {
  const { limitRate, limitRateClient } = options;
  const intervalMs = options.intervalMs ?? 5000;
  const faults = options.faults ?? new Map<number, FaultName>();
  // Node takes a longer wait for one of 1 ms.
  if (intervalMs > longestTimerMs) {
    throw new UsageError(`interval: ${intervalMs} ms is more than ${longestTimerMs}`);
  }
  if (!(intervalMs > 0)) throw new UsageError(`interval: ${intervalMs} ms is not more than 0`);
  for (const rate of [limitRate, limitRateClient]) {
    if (rate !== undefined && !(rate >= limits.leastRate)) {
      throw new UsageError(`limit rate: ${rate} is not at least 1 KiB a second`);
    }
  }
  const {
    maxReads = limits.readsInFlight,
    maxClientReads = Math.max(limits.readsPerClient, limits.readsPerPort * ports.length),
    maxConnections = limits.connections,
  } = options;
  for (const [what, most] of Object.entries({ maxReads, maxClientReads, maxConnections })) {
    if (!Number.isInteger(most) || most < 1) {
      throw new UsageError(`${what}: ${most} is not a whole number from 1`);
    }
  }
  for (const [port, fault] of faults) {
    if (!ports.includes(port)) throw new UsageError(`fault: no virtual server on port ${port}`);
    if (!faultNames.includes(fault)) {
      throw new UsageError(`fault: ${fault} is none of ${faultNames.join(", ")}`);
    }
  }
  const host = options.host ?? "127.0.0.1";
  return {
    host,
    intervalMs,
    limitRate,
    limitRateClient,
    maxReads,
    maxClientReads,
    maxConnections,
    faults,
    onEvent: calmly(options.onEvent),
  };
}

/** A listener that throws must not end a server that others rely on. */
function calmly(onEvent: OnServeEvent = () => {}): OnServeEvent {
  return (event) => {
    try {
      onEvent(event);
    } catch (error) {
      process.emitWarning(`a listener failed on ${event.event}: ${messageOf(error)}`);
    }
  };
}
