/**
 * A group of virtual servers over the same files: each stands alone on its port, and can be
 * stopped, started and broken without the others noticing.
 */

import { UsageError } from "../errors.js";
import { limits } from "../limits.js";
import type { Clock, Replica } from "../ports.js";
import type { CheckPort, Listen } from "../server-ports.js";
import { boundedReplica, InFlight } from "./bounded-replica.js";
import { faultyReplica } from "./faulty-replica.js";
import { meteredReplica, newCounters } from "./metered-replica.js";
import type { ResolvedServeOptions } from "./options.js";
import type { ServerStatus } from "./serve-events.js";
import { ClientRates, shapedPerClient, shapedReplica } from "./shaped-replica.js";
import { VirtualServer } from "./virtual-server.js";

/** What a group needs from the world. */
export interface GroupWorld {
  readonly clock: Clock;
  readonly checkPort: CheckPort;
  readonly listen: Listen;
}

/** A status that a key press asks for must not spoil the rates of the one before. */
const leastMeasuredMs = 500;

/**
 * Checks every port, drops those that are bad, busy or given twice, and starts a virtual server on
 * each of the others. Throws UsageError when none is left.
 */
export async function startGroup(
  replica: Replica,
  ports: readonly number[],
  world: GroupWorld,
  options: ResolvedServeOptions,
): Promise<Group> {
  const usable = await usablePorts(ports, world, options);
  const group = new Group(replica, usable, world, options);
  await group.startAll();
  return group;
}

async function usablePorts(
  ports: readonly number[],
  { checkPort }: GroupWorld,
  { host, onEvent }: ResolvedServeOptions,
): Promise<number[]> {
  const usable: number[] = [];
  for (const port of ports) {
    const why = usable.includes(port)
      ? "it was given twice"
      : port < 1 || port > 65535 || !Number.isInteger(port)
        ? "a port is a number from 1 to 65535"
        : await checkPort({ host, port });
    if (why === undefined) usable.push(port);
    else onEvent({ event: "dropped", port, why });
  }
  return usable;
}

export class Group {
  readonly #servers: readonly VirtualServer[];
  readonly #world: GroupWorld;
  readonly #options: ResolvedServeOptions;
  readonly #end = new AbortController();
  readonly #inFlight: InFlight;
  readonly #clientRates: ClientRates;
  #measuredAt: number;
  #reporting: Promise<void> | undefined;
  #drained: Promise<void> | undefined;

  constructor(
    replica: Replica,
    ports: readonly number[],
    world: GroupWorld,
    options: ResolvedServeOptions,
  ) {
    this.#world = world;
    this.#options = options;
    this.#measuredAt = world.clock.now();
    const { maxReads: reads, maxClientReads: readsPerClient, limitRateClient } = options;
    this.#inFlight = new InFlight({ reads, readsPerClient });
    this.#clientRates = new ClientRates(limitRateClient ?? Number.POSITIVE_INFINITY);
    this.#servers = ports.map((port, index) => this.#prepare(replica, port, index + 1));
  }

  /** The servers' numbers and ports, those that are stopped included. */
  get servers(): readonly { readonly number: number; readonly port: number }[] {
    return this.#servers.map(({ number, port }) => ({ number, port }));
  }

  async startAll(): Promise<void> {
    for (const server of this.#servers) await server.start({ isAgain: false });
    const servers = this.#servers.filter(({ isListening }) => isListening);
    if (servers.length === 0) throw new UsageError("serve: no port is left to listen on");
    const { host, onEvent } = this.#options;
    onEvent({
      event: "listening",
      host,
      servers: servers.map(({ number, port }) => ({ number, port })),
    });
    this.#reporting = this.#report();
  }

  /**
   * Stops a server for real, or starts a stopped one; asked while it starts, waits for that. False
   * when there is none of that number. A group that has ended starts nothing.
   */
  async toggle(number: number): Promise<boolean> {
    const server = this.#servers.find((candidate) => candidate.number === number);
    if (server === undefined) return false;
    if (server.isListening) server.stop("asked to");
    else await server.start({ isAgain: true });
    return true;
  }

  /** Takes no new calls, lets running ones finish for at most `limits.drainMs`, and ends. */
  drain(): Promise<void> {
    this.#drained ??= this.#drain();
    return this.#drained;
  }

  async #drain(): Promise<void> {
    if (this.#end.signal.aborted) return;
    this.#end.abort();
    this.#options.onEvent({ event: "draining" });
    await this.#reporting;
    await Promise.all(this.#servers.map((server) => server.drain(limits.drainMs)));
    this.#options.onEvent({ event: "drained", servers: this.status() });
  }

  /** Breaks all connections at once and ends. */
  kill(): void {
    this.#end.abort();
    for (const server of this.#servers) server.kill();
  }

  /** How each server stands; rates are measured over half a second at least. */
  status(): ServerStatus[] {
    const now = this.#world.clock.now();
    const elapsedMs = now - this.#measuredAt;
    if (elapsedMs >= leastMeasuredMs) {
      this.#measuredAt = now;
      for (const server of this.#servers) server.measure(elapsedMs);
    }
    return this.#servers.map((server) => server.status());
  }

  async #report(): Promise<void> {
    const { signal } = this.#end;
    const { intervalMs, onEvent } = this.#options;
    while (!signal.aborted) {
      // Ending the group ends the wait, which says so by rejecting.
      await this.#world.clock.sleep(intervalMs, signal).catch(() => {});
      if (!signal.aborted) onEvent({ event: "status", servers: this.status() });
    }
  }

  /** From the inside out: broken on purpose, kept within rates and bounds, counted. */
  #prepare(replica: Replica, port: number, number: number): VirtualServer {
    const { limitRate, limitRateClient, faults } = this.#options;
    const { clock } = this.#world;
    const counters = newCounters();
    const fault = faults.get(port);
    const die = () => server.stop("broken on purpose");
    const broken = fault === undefined ? replica : faultyReplica(replica, fault, { clock, die });
    const shaped =
      limitRate === undefined
        ? broken
        : shapedReplica(broken, { rateBytesPerSecond: limitRate, clock });
    const rateBytesPerSecond = limitRateClient;
    const fair =
      rateBytesPerSecond === undefined
        ? shaped
        : shapedPerClient(shaped, { rateBytesPerSecond, clock }, this.#clientRates);
    const counted = meteredReplica(boundedReplica(fair, this.#inFlight), counters);
    const parts = { number, port, replica: counted, counters };
    const { listen } = this.#world;
    const around = { clock, listen, options: this.#options, signal: this.#end.signal };
    const server = new VirtualServer(parts, around);
    return server;
  }
}
