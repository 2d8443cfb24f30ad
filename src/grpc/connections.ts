/**
 * Keeps the connections of a server within bounds: how many, how long they may be silent, and how
 * long a reader may take nothing. gRPC's own options know none of these.
 */

import { AsyncLocalStorage } from "node:async_hooks";
import { subscribe, unsubscribe } from "node:diagnostics_channel";
import type {
  Http2SecureServer,
  Http2Server,
  IncomingHttpHeaders,
  ServerHttp2Session,
  ServerHttp2Stream,
} from "node:http2";
import { constants } from "node:http2";
import type { Socket } from "node:net";
import { limits } from "../limits.js";
import { Litter } from "./litter.js";
import { clientOf } from "./peer.js";

/** What connections may cost. Milliseconds. */
export interface ConnectionBounds {
  readonly connections: number;
  readonly connectionsPerClient: number;
  readonly readerStallMs: number;
  readonly requestMs: number;
  readonly firstRequestMs: number;
}

/** The header under which a call finds its stream; what a client sends of it is overwritten. */
export const streamKey = "quorate-stream";

/** A call's stream, as long as it is open. */
export interface OpenStream {
  readonly stream: ServerHttp2Stream;
  readonly openedAt: number;
  /** Whether its request is there, and the call runs. */
  hasBegun: boolean;
  /** What it was waiting to send when last looked at, and since when it has been just that. */
  pendingBytes: number;
  /** Messages that the reader took, and how many of them there were when last looked at. */
  takenCount: number;
  seenCount: number;
  stillSince: number;
  /** Bytes of the file that were sent, or wait for it. */
  sentBytes: number;
}

interface OpenSession {
  readonly client: string;
  readonly openedAt: number;
  hasAsked: boolean;
}

const now = () => performance.now();

export class Connections {
  /** Whether the server is meant to end. */
  isEnding = false;
  /** Resolves when the server ends although it is not meant to. */
  readonly died: Promise<string>;
  #onDeath: (why: string) => void = () => {};
  readonly #bounds: ConnectionBounds;
  readonly #litter: Litter;
  readonly #sessions = new Map<ServerHttp2Session, OpenSession>();
  readonly #perClient = new Map<string, number>();
  readonly #streams = new Map<string, OpenStream>();
  readonly #sweeper: NodeJS.Timeout;
  #server: Http2Server | Http2SecureServer | undefined;
  #nextId = 0;

  /** `onQuiet`: called once it is quiet after a flood, before garbage is collected. */
  constructor(bounds: ConnectionBounds = limits, onQuiet: () => void = () => {}) {
    this.#bounds = bounds;
    this.#litter = new Litter(onQuiet);
    this.died = new Promise((resolve) => {
      this.#onDeath = resolve;
    });
    const everyMs = Math.min(limits.sweepMs, bounds.readerStallMs / 4, bounds.requestMs / 4);
    this.#sweeper = setInterval(() => this.#sweep(), everyMs).unref();
  }

  /** Connections that are open now. */
  get count(): number {
    return this.#sessions.size;
  }

  /** The stream under which a call came, unless it is closed. */
  streamOf(id: string | undefined): OpenStream | undefined {
    return this.#streams.get(id ?? "");
  }

  /**
   * Runs what makes a server listen, and watches the server that does; grpc-js hands it to nobody.
   */
  async watching<Result>(
    listen: () => Promise<Result>,
    onServer: (server: Http2Server | Http2SecureServer) => void = () => {},
  ): Promise<Result> {
    const onListen = (message: unknown) => {
      if (owner.getStore() !== this) return;
      const { server } = message as { server: Http2Server | Http2SecureServer };
      this.#watch(server);
      onServer(server);
    };
    subscribe(listenChannel, onListen);
    try {
      return await owner.run(this, listen);
    } finally {
      unsubscribe(listenChannel, onListen);
    }
  }

  close(): void {
    clearInterval(this.#sweeper);
  }

  #watch(server: Http2Server | Http2SecureServer): void {
    server.maxConnections = this.#bounds.connections;
    // Beyond it, the stream is reset; just below, an answer still says why.
    server.updateSettings({ maxHeaderListSize: 2 * limits.requestHeaderBytes });
    server.on("connection", (socket) => this.#connected(socket));
    server.on("session", (session) => this.#opened(session));
    server.prependListener("stream", (stream, headers) => this.#asked(stream, headers));
    // A connection that could not be accepted, for want of descriptors, is no reason to end.
    server.on("error", () => {});
    server.on("sessionError", () => {});
    server.once("close", () => this.#ended());
    const hasBegun = () => {
      this.#server = server;
    };
    if (server.listening) hasBegun();
    else server.once("listening", hasBegun);
  }

  #ended(): void {
    if (!this.isEnding) this.#onDeath("it stopped listening");
  }

  /** Every connection, also one that never becomes a session. */
  #connected(socket: Socket): void {
    this.#litter.opened();
    socket.once("close", () => this.#litter.connectionEnded());
  }

  #opened(session: ServerHttp2Session): void {
    const client = clientOf(session.socket.remoteAddress ?? "");
    const count = (this.#perClient.get(client) ?? 0) + 1;
    if (count > this.#bounds.connectionsPerClient) {
      session.destroy();
      return;
    }
    this.#perClient.set(client, count);
    this.#sessions.set(session, { client, openedAt: now(), hasAsked: false });
    session.once("close", () => {
      this.#sessions.delete(session);
      const left = (this.#perClient.get(client) ?? 1) - 1;
      if (left > 0) this.#perClient.set(client, left);
      else this.#perClient.delete(client);
    });
  }

  #asked(stream: ServerHttp2Stream, headers: IncomingHttpHeaders): void {
    const session =
      stream.session === undefined
        ? undefined
        : this.#sessions.get(stream.session as ServerHttp2Session);
    if (session !== undefined) session.hasAsked = true;
    const id = String(this.#nextId++);
    headers[streamKey] = id;
    const openedAt = now();
    const still = { pendingBytes: 0, takenCount: 0, seenCount: 0, stillSince: openedAt };
    this.#streams.set(id, { stream, openedAt, hasBegun: false, sentBytes: 0, ...still });
    this.#litter.opened();
    stream.once("close", () => {
      this.#streams.delete(id);
      this.#litter.streamEnded();
    });
  }

  #sweep(): void {
    // It closes only when its last connection does, and takes no new one until then.
    if (this.#server?.listening === false) this.#ended();
    const at = now();
    for (const open of this.#streams.values()) {
      const isLate = !open.hasBegun && at - open.openedAt > this.#bounds.requestMs;
      if (isLate || this.#isStalled(open, at)) open.stream.close(constants.NGHTTP2_CANCEL);
    }
    for (const [session, { hasAsked, openedAt }] of this.#sessions) {
      if (!hasAsked && at - openedAt > this.#bounds.firstRequestMs) session.destroy();
    }
    this.#litter.look();
  }

  #isStalled(open: OpenStream, at: number): boolean {
    // What waits in our memory; 0 while it is we who have nothing to send.
    const pendingBytes = open.stream.bufferSize;
    const hasMoved = pendingBytes !== open.pendingBytes || open.takenCount !== open.seenCount;
    open.pendingBytes = pendingBytes;
    open.seenCount = open.takenCount;
    if (pendingBytes === 0 || hasMoved) open.stillSince = at;
    return at - open.stillSince > this.#bounds.readerStallMs;
  }
}

const listenChannel = "tracing:net.server.listen:asyncStart";
const owner = new AsyncLocalStorage<Connections>();
