/** A group whose ports are made up: what it did to each can be read, and its events. */

import type { Replica } from "../../src/ports.js";
import { type Group, startGroup } from "../../src/serve/group.js";
import { resolveServeOptions, type ServeOptions } from "../../src/serve/options.js";
import type { ServeEvent } from "../../src/serve/serve-events.js";
import type { CheckPort, Listen, ListeningServer } from "../../src/server-ports.js";
import { madeUp } from "../support/made-up.js";
import { memoryReplica } from "../support/memory-replica.js";
import { HandClock } from "./hand-clock.js";

/** What the group put on a port. */
export interface FakeListening extends ListeningServer {
  readonly replica: Replica;
  readonly died: Promise<string>;
  /** Ends it although nobody asked. */
  readonly die: (why: string) => void;
  isKilled: boolean;
  drainedMs: number | undefined;
}

/** A world without a network. */
export class SmallWorld {
  readonly clock = new HandClock();
  /** Ports that are in use, as `checkPort` finds. */
  readonly busy = new Set<number>();
  /** Ports that look free and then cannot be had. */
  readonly refused = new Set<number>();
  /** Everything that ever listened, in order. */
  readonly listened: FakeListening[] = [];
  readonly checked: number[] = [];
  readonly events: ServeEvent[] = [];
  /** Awaited before a port is had. */
  beforeListening: () => Promise<void> = async () => {};

  readonly checkPort: CheckPort = async ({ port }) => {
    this.checked.push(port);
    return this.busy.has(port) ? "it is in use" : undefined;
  };

  readonly listen: Listen = async (replica, { port }) => {
    await this.beforeListening();
    if (this.refused.has(port)) throw new Error(`no port ${port}`);
    let die: (why: string) => void = () => {};
    const died = new Promise<string>((resolve) => {
      die = resolve;
    });
    const listening: FakeListening = {
      port,
      died,
      die: (why) => die(why),
      replica,
      isKilled: false,
      drainedMs: undefined,
      async drain(ms) {
        listening.drainedMs = ms;
      },
      kill() {
        listening.isKilled = true;
      },
    };
    this.listened.push(listening);
    return listening;
  };

  /** Starts a group over `a.bin`, of 100,000 bytes in chunks of 10,000. */
  start(ports: readonly number[], options: ServeOptions = {}): Promise<Group> {
    const replica = memoryReplica({ "a.bin": madeUp(100_000) }, 10_000);
    const onEvent = (event: ServeEvent) => this.events.push(event);
    const resolved = resolveServeOptions({ onEvent, ...options }, ports);
    return startGroup(replica, ports, this, resolved);
  }

  /** The events of one kind, in order. */
  told<Kind extends ServeEvent["event"]>(kind: Kind): Extract<ServeEvent, { event: Kind }>[] {
    const isOfKind = (event: ServeEvent): event is Extract<ServeEvent, { event: Kind }> =>
      event.event === kind;
    return this.events.filter(isOfKind);
  }

  /** The replica that listens, or did last, on a port. */
  on(port: number): FakeListening {
    const found = this.listened.findLast((listening) => listening.port === port);
    if (found === undefined) throw new Error(`nothing ever listened on ${port}`);
    return found;
  }
}
