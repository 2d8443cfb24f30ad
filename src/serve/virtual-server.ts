/**
 * One virtual server of a group: it stands alone on its port, is stopped and started, and when it
 * dies it is started again, later each time.
 */

import { messageOf } from "../errors.js";
import { limits } from "../limits.js";
import type { Clock, Replica } from "../ports.js";
import type { Listen, ListeningServer } from "../server-ports.js";
import type { Counters } from "./metered-replica.js";
import type { ResolvedServeOptions } from "./options.js";
import type { ServerStatus } from "./serve-events.js";

/** What it serves, and where. */
export interface VirtualServerParts {
  /** In the group, from 1. */
  readonly number: number;
  readonly port: number;
  readonly replica: Replica;
  /** What is counted of that replica. */
  readonly counters: Counters;
}

/** What it needs from its group. */
export interface Surroundings {
  readonly clock: Clock;
  readonly listen: Listen;
  readonly options: ResolvedServeOptions;
  /** Aborted once the group ends: nothing is started any more. */
  readonly signal: AbortSignal;
}

type State =
  /** Until somebody starts it. */
  | { readonly kind: "stopped" }
  /** Until its time to be started again has come, or somebody starts it before. */
  | { readonly kind: "dead" }
  | { readonly kind: "starting"; readonly started: Promise<void> }
  | { readonly kind: "listening"; readonly server: ListeningServer; readonly since: number };

export class VirtualServer {
  readonly number: number;
  readonly port: number;
  readonly #replica: Replica;
  readonly #counters: Counters;
  readonly #around: Surroundings;
  #state: State = { kind: "stopped" };
  /** How long it waits to be started again when it dies next. */
  #restartMs: number = limits.restartMs;
  /** Bytes per second when last measured. */
  #rate = 0;
  #measuredBytes = 0;

  constructor({ number, port, replica, counters }: VirtualServerParts, around: Surroundings) {
    this.number = number;
    this.port = port;
    this.#replica = replica;
    this.#counters = counters;
    this.#around = around;
  }

  get isListening(): boolean {
    return this.#state.kind === "listening";
  }

  /** How it stands; its rate as of `measure`. */
  status(): ServerStatus {
    const { number, port } = this;
    const fault = this.#around.options.faults.get(port);
    const state = this.isListening ? "alive" : "stopped";
    return { number, port, state, fault, ...this.#counters, rate: this.#rate };
  }

  /** So much time has passed since this was last called. */
  measure(elapsedMs: number): void {
    const { bytes } = this.#counters;
    this.#rate = ((bytes - this.#measuredBytes) * 1000) / elapsedMs;
    this.#measuredBytes = bytes;
  }

  /** Resolves once it listens, or could not, which is told. Asked while it starts, waits for it. */
  async start({ isAgain }: { readonly isAgain: boolean }): Promise<void> {
    if (this.#state.kind === "listening" || this.#around.signal.aborted) return;
    if (this.#state.kind !== "starting") {
      const before = this.#state;
      this.#state = { kind: "starting", started: this.#start(before, isAgain) };
    }
    await this.#state.started;
  }

  /** Breaks all connections at once; it stays so until it is started. */
  stop(why: string): void {
    this.#end({ kind: "stopped" }, why);
  }

  /** Takes no new calls, lets running ones finish for at most `ms`, and stops. */
  async drain(ms: number): Promise<void> {
    if (this.#state.kind === "listening") await this.#state.server.drain(ms);
    this.#state = { kind: "stopped" };
  }

  /** Breaks all connections at once, and tells nobody: the group ends. */
  kill(): void {
    if (this.#state.kind === "listening") this.#state.server.kill();
    this.#state = { kind: "stopped" };
  }

  async #start(before: State, isAgain: boolean): Promise<void> {
    const { number, port } = this;
    const { clock, listen, options, signal } = this.#around;
    try {
      const server = await listen(this.#replica, { host: options.host, port });
      // The group ended meanwhile: nobody would ever stop this one.
      if (signal.aborted) {
        server.kill();
        this.#state = { kind: "stopped" };
        return;
      }
      this.#state = { kind: "listening", server, since: clock.now() };
      void server.died?.then((why) => this.#died(server, why));
    } catch (error) {
      this.#state = before;
      options.onEvent({ event: "failed", number, port, why: messageOf(error) });
      return;
    }
    if (isAgain) options.onEvent({ event: "started", number, port });
  }

  /** Nobody asked it to: it is started again, later each time, unless somebody says otherwise. */
  async #died(server: ListeningServer, why: string): Promise<void> {
    const { clock, signal } = this.#around;
    const state = this.#state;
    if (state.kind !== "listening" || state.server !== server || signal.aborted) return;
    // One that dies as often as it is started must not be started all the time.
    const hasLived = clock.now() - state.since >= limits.restartCapMs;
    if (hasLived) this.#restartMs = limits.restartMs;
    this.#end({ kind: "dead" }, `it died: ${why}`);
    while (this.#state.kind === "dead" || this.#state.kind === "starting") {
      const waitMs = this.#restartMs;
      this.#restartMs = Math.min(2 * waitMs, limits.restartCapMs);
      // The end of the group ends the wait, which says so by rejecting.
      await clock.sleep(waitMs, signal).catch(() => {});
      if (signal.aborted) return;
      if (this.#state.kind === "dead") await this.start({ isAgain: true });
    }
  }

  #end(as: State, why: string): void {
    if (this.#state.kind !== "listening") return;
    const { server } = this.#state;
    this.#state = as;
    server.kill();
    const { number, port } = this;
    this.#around.options.onEvent({ event: "stopped", number, port, why });
  }
}
