/**
 * Keeps the connections to replicas for a moment after a download, for the next one: a new one
 * costs more than all that a small file asks. One download has them at a time, so that none shares
 * its window and its losses with another; and none keeps the process alive.
 */

import { limits } from "../limits.js";
import { type Chunk, type ReadRequest, type Replica, ReplicaFault } from "../ports.js";
import type { FaultKind } from "../schedule/faults.js";
import { digestOf } from "../trust/digest.js";
import type { RemoteReplica } from "./replica-client.js";
import { endpointText } from "./resolve.js";
import type { Route } from "./route.js";

interface Idle {
  readonly replica: RemoteReplica;
  readonly timer: NodeJS.Timeout;
}

/** Makes a new connection. */
export type Connect = (route: Route) => RemoteReplica;

export class KeptConnections {
  /** Connections that nobody uses now, by route. */
  readonly #idle = new Map<string, Idle[]>();

  /** A replica of one download, until it is closed; `connect` is for where none is kept. */
  take(route: Route, connect: Connect): RemoteReplica {
    const key = keyOf(route);
    const open = () => connect(route);
    const kept = this.#takeIdle(key);
    const watched = new Watched(kept ?? open(), kept === undefined ? undefined : open);
    return {
      claim: (name, call) => watched.ask((replica) => replica.claim(name, call)),
      size: (name, call) => watched.ask((replica) => replica.size(name, call)),
      pieces: (request, call) => watched.ask((replica) => replica.pieces(request, call)),
      list: (request, call) => watched.ask((replica) => replica.list(request, call)),
      read: (request, call) => watched.read(request, call),
      close: () => {
        if (watched.isSound) this.#keep(key, watched.replica);
        else watched.replica.close();
      },
    };
  }

  #takeIdle(key: string): RemoteReplica | undefined {
    const found = this.#idle.get(key);
    const last = found?.pop();
    if (found?.length === 0) this.#idle.delete(key);
    clearTimeout(last?.timer);
    return last?.replica;
  }

  #keep(key: string, replica: RemoteReplica): void {
    const others = this.#idle.get(key) ?? [];
    const count = [...this.#idle.values()].reduce((sum, { length }) => sum + length, 0);
    if (others.length >= limits.keptPerReplica || count >= limits.keptConnections) {
      replica.close();
      return;
    }
    const drop = () => {
      const left = (this.#idle.get(key) ?? []).filter((one) => one !== entry);
      if (left.length > 0) this.#idle.set(key, left);
      else this.#idle.delete(key);
      replica.close();
    };
    const timer = setTimeout(drop, limits.keptConnectionMs).unref();
    const entry = { replica, timer };
    this.#idle.set(key, [...others, entry]);
  }
}

/** Two connections of one route are as good as each other. */
function keyOf({ host, port, tls, token }: Route): string {
  const at = endpointText(host.toLowerCase(), port);
  if (tls === undefined && token === undefined) return at;
  const { ca, cert, key, serverName } = tls ?? {};
  const files = [ca, cert, key].map((file) => file?.toString("base64"));
  const secrets = JSON.stringify([tls !== undefined, ...files, serverName, token]);
  return `${at} ${digestOf(Buffer.from(secrets))}`;
}

/** What a replica says, and not what became of its connection. */
const answers: ReadonlySet<FaultKind> = new Set(["missing", "busy", "hashing", "changed"]);

/**
 * Knows whether a connection may be used again: every call on it came to its end. Of one that was
 * cut short, bytes may be on their way for as long as the link takes, before anybody else's.
 */
class Watched {
  replica: RemoteReplica;
  readonly #open: (() => RemoteReplica) | undefined;
  #running = 0;
  #answers = 0;
  #isMarred = false;

  /** `open`: makes a new connection, if this is one that was kept. */
  constructor(replica: RemoteReplica, open: (() => RemoteReplica) | undefined) {
    this.replica = replica;
    this.#open = open;
  }

  get isSound(): boolean {
    return this.#running === 0 && this.#answers > 0 && !this.#isMarred;
  }

  /** A kept one may break in this very moment, which says nothing of a server that is there. */
  async ask<Answer>(put: (replica: Replica) => Promise<Answer>): Promise<Answer> {
    const isUnproven = this.#open !== undefined && this.#answers === 0;
    const asked = this.replica;
    try {
      return await this.#counted(() => put(asked));
    } catch (error) {
      const isGone = error instanceof ReplicaFault && error.fault.kind === "unreachable";
      if (!isGone || !isUnproven || this.#open === undefined) throw error;
      if (this.replica === asked) {
        asked.close();
        this.replica = this.#open();
        this.#isMarred = false;
      }
      return this.#counted(() => put(this.replica));
    }
  }

  read(request: ReadRequest, call: Parameters<Replica["read"]>[1]): AsyncIterable<Chunk> {
    const chunks = this.replica.read(request, call);
    const isOver = () => request.isEarly === true && !call.signal.aborted;
    return { [Symbol.asyncIterator]: () => this.#counting(chunks, request, isOver) };
  }

  async #counted<Answer>(run: () => Promise<Answer>): Promise<Answer> {
    this.#running++;
    try {
      const answer = await run();
      this.#answers++;
      return answer;
    } catch (error) {
      if (error instanceof ReplicaFault && answers.has(error.fault.kind)) this.#answers++;
      else this.#isMarred = true;
      throw error;
    } finally {
      this.#running--;
    }
  }

  #counting(
    chunks: AsyncIterable<Chunk>,
    { range }: ReadRequest,
    mayEndEarly: () => boolean,
  ): AsyncIterator<Chunk> {
    const inner = chunks[Symbol.asyncIterator]();
    let left = range.end - range.start;
    let isOver = false;
    this.#running++;
    const over = () => {
      if (isOver) return;
      isOver = true;
      this.#running--;
      // Whoever has all bytes may leave before the stream's end: nothing is on its way any more.
      if (left > 0) this.#isMarred = true;
    };
    return {
      next: () =>
        inner.next().then(
          (step) => {
            if (step.done === true && mayEndEarly()) left = 0;
            if (step.done === true) over();
            else left -= step.value.bytes.length;
            return step;
          },
          (error: unknown) => {
            left = Number.POSITIVE_INFINITY;
            over();
            throw error;
          },
        ),
      return: async () => {
        over();
        await inner.return?.();
        return { done: true, value: undefined };
      },
    };
  }
}
