/**
 * A group of virtual servers over the same files: each stands alone on its port, and can be
 * stopped, started and broken without the others noticing.
 */

import { messageOf, UsageError } from "../errors.js";
import { limits } from "../limits.js";
import type { Clock, Replica } from "../ports.js";
import type { CheckPort, Listen, ListeningServer } from "../server-ports.js";
import { boundedReplica, InFlight } from "./bounded-replica.js";
import { faultyReplica } from "./faulty-replica.js";
import { type Counters, meteredReplica, newCounters } from "./metered-replica.js";
import type { ResolvedServeOptions } from "./options.js";
import type { ServerStatus } from "./serve-events.js";
import { ClientRates, shapedPerClient, shapedReplica } from "./shaped-replica.js";

/** What a group needs from the world. */
export interface GroupWorld {
  readonly clock: Clock;
  readonly checkPort: CheckPort;
  readonly listen: Listen;
}

interface VirtualServer {
  readonly number: number;
  readonly port: number;
  readonly replica: Replica;
  readonly counters: Counters;
  listening: ListeningServer | undefined;
  starting: Promise<void> | undefined;
  /** Whether somebody wants it to be stopped. */
  isStoppedOnPurpose: boolean;
  /** When it last began to listen, and how long it then waits to be started again if it dies. */
  startedAt: number;
  restartMs: number;
  /** Bytes per second when last measured. */
  rate: number;
  measuredBytes: number;
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
    for (const server of this.#servers) await this.#start(server);
    const servers = this.#servers.filter(({ listening }) => listening !== undefined);
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
    server.isStoppedOnPurpose = server.listening !== undefined;
    if (server.listening !== undefined) this.#stop(server, "asked to");
    else if (!this.#end.signal.aborted) {
      server.starting ??= this.#startAgain(server).finally(() => {
        server.starting = undefined;
      });
      await server.starting;
    }
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
    await Promise.all(this.#servers.map(({ listening }) => listening?.drain(limits.drainMs)));
    for (const server of this.#servers) server.listening = undefined;
    this.#options.onEvent({ event: "drained", servers: this.status() });
  }

  /** Breaks all connections at once and ends. */
  kill(): void {
    this.#end.abort();
    for (const server of this.#servers) {
      server.listening?.kill();
      server.listening = undefined;
    }
  }

  /** How each server stands; rates are measured over half a second at least. */
  status(): ServerStatus[] {
    const now = this.#world.clock.now();
    const elapsedMs = now - this.#measuredAt;
    if (elapsedMs >= leastMeasuredMs) this.#measure(elapsedMs, now);
    return this.#servers.map(({ number, port, counters, listening, rate }) => {
      const state = listening === undefined ? "stopped" : "alive";
      return { number, port, state, fault: this.#options.faults.get(port), ...counters, rate };
    });
  }

  #measure(elapsedMs: number, now: number): void {
    this.#measuredAt = now;
    for (const server of this.#servers) {
      server.rate = ((server.counters.bytes - server.measuredBytes) * 1000) / elapsedMs;
      server.measuredBytes = server.counters.bytes;
    }
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
    const die = () => this.#stop(server, "broken on purpose");
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
    const server: VirtualServer = {
      number,
      port,
      replica: meteredReplica(boundedReplica(fair, this.#inFlight), counters),
      counters,
      listening: undefined,
      starting: undefined,
      isStoppedOnPurpose: false,
      startedAt: 0,
      restartMs: limits.restartMs,
      rate: 0,
      measuredBytes: 0,
    };
    return server;
  }

  async #startAgain(server: VirtualServer): Promise<void> {
    await this.#start(server);
    const { number, port, listening } = server;
    if (listening !== undefined) this.#options.onEvent({ event: "started", number, port });
  }

  async #start(server: VirtualServer): Promise<void> {
    const { number, port } = server;
    const { host, onEvent } = this.#options;
    try {
      const listening = await this.#world.listen(server.replica, { host, port });
      // The group ended meanwhile: nobody would ever stop this one.
      if (this.#end.signal.aborted) listening.kill();
      else {
        server.listening = listening;
        server.startedAt = this.#world.clock.now();
        void listening.died?.then((why) => this.#died(server, listening, why));
      }
    } catch (error) {
      onEvent({ event: "failed", number, port, why: messageOf(error) });
    }
  }

  /** Nobody asked it to: it is started again, later each time, unless somebody says otherwise. */
  async #died(server: VirtualServer, listening: ListeningServer, why: string): Promise<void> {
    if (server.listening !== listening || this.#end.signal.aborted) return;
    this.#stop(server, `it died: ${why}`);
    const { clock } = this.#world;
    // One that dies as often as it is started must not be started all the time.
    const hasLived = clock.now() - server.startedAt >= limits.restartCapMs;
    if (hasLived) server.restartMs = limits.restartMs;
    while (server.listening === undefined && server.starting === undefined) {
      const waitMs = server.restartMs;
      server.restartMs = Math.min(2 * waitMs, limits.restartCapMs);
      await clock.sleep(waitMs, this.#end.signal).catch(() => {});
      if (this.#end.signal.aborted || server.isStoppedOnPurpose) return;
      if (server.listening === undefined) await this.#startAgain(server);
    }
  }

  #stop(server: VirtualServer, why: string): void {
    const { number, port, listening } = server;
    if (listening === undefined) return;
    server.listening = undefined;
    listening.kill();
    this.#options.onEvent({ event: "stopped", number, port, why });
  }
}
