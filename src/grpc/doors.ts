/** Decides who may come in: TLS, certificates of clients, tokens. All may change while it runs. */

import { createHash, timingSafeEqual } from "node:crypto";
import type { Http2SecureServer, Http2Server } from "node:http2";
import { ServerCredentials } from "@grpc/grpc-js";
import type { Metadata } from "nice-grpc";
import { limits } from "../limits.js";
import { checkPair } from "./tls-pair.js";

/** PEM files of a server. */
export interface ServerTls {
  readonly cert: Buffer;
  readonly key: Buffer;
  /** Who signs the certificates that clients must have; without it they need none. */
  readonly clientCa: Buffer | undefined;
}

/** The doors of all virtual servers of a group. */
export class Doors {
  #tls: ServerTls | undefined;
  #tokens: readonly Buffer[] | undefined;
  readonly #handshakeMs: number;
  readonly #servers = new Set<Http2SecureServer>();

  /**
   * Throws with the reason when certificate and key do not fit. `handshakeMs`: how long a TLS
   * handshake may take; 10 s by default.
   */
  constructor({
    tls,
    tokens,
    handshakeMs = limits.requestMs,
  }: {
    tls?: ServerTls | undefined;
    tokens?: readonly string[] | undefined;
    handshakeMs?: number;
  }) {
    this.#handshakeMs = handshakeMs;
    if (tls !== undefined) checkPair(contextOf(tls));
    this.#tls = tls;
    this.#tokens = tokens?.map(digestOf);
  }

  /** For what listens next. */
  credentials(): ServerCredentials {
    if (this.#tls === undefined) return ServerCredentials.createInsecure();
    const { cert, key, clientCa } = this.#tls;
    const pair = { cert_chain: cert, private_key: key };
    // Without the check, grpc-js takes any certificate that a client signs for itself.
    return ServerCredentials.createSsl(clientCa ?? null, [pair], clientCa !== undefined);
  }

  /** New connections to this server see whatever TLS files come later, too. */
  attach(server: Http2Server | Http2SecureServer): void {
    if (!("setSecureContext" in server)) return;
    this.#servers.add(server);
    server.once("close", () => this.#servers.delete(server));
    endSlowHandshakes(server, this.#handshakeMs);
  }

  /** Throws, and changes nothing, when certificate and key do not fit. */
  changeTls(tls: ServerTls): void {
    checkPair(contextOf(tls));
    this.#tls = tls;
    for (const server of this.#servers) server.setSecureContext(contextOf(tls));
  }

  changeTokens(tokens: readonly string[]): void {
    this.#tokens = tokens.map(digestOf);
  }

  /** Whether a call brings a token that is known, or needs none. */
  admits(metadata: Metadata): boolean {
    if (this.#tokens === undefined) return true;
    const sent = /^Bearer +([\x21-\x7e]+)$/i.exec(metadata.get("authorization") ?? "")?.[1] ?? "";
    const digest = digestOf(sent);
    // All of them, always: how long it takes tells nothing about any.
    return this.#tokens.reduce((found, token) => timingSafeEqual(token, digest) || found, false);
  }
}

/** Of equal length, whatever the token's is. */
function digestOf(token: string): Buffer {
  return createHash("sha256").update(token).digest();
}

function contextOf({ cert, key, clientCa }: ServerTls) {
  return { cert, key, ...(clientCa === undefined ? {} : { ca: clientCa }) };
}

/** Node waits two minutes for a handshake, and such connections are in no session yet. */
function endSlowHandshakes(server: Http2SecureServer, handshakeMs: number): void {
  interface Ends {
    readonly remoteAddress?: string | undefined;
    readonly remotePort?: number | undefined;
  }
  const timers = new Map<string, NodeJS.Timeout>();
  const keyOf = ({ remoteAddress, remotePort }: Ends) => `${remoteAddress} ${remotePort}`;
  server.on("connection", (socket) => {
    const key = keyOf(socket);
    timers.set(key, setTimeout(() => socket.destroy(), handshakeMs).unref());
    socket.once("close", () => {
      clearTimeout(timers.get(key));
      timers.delete(key);
    });
  });
  server.on("secureConnection", (socket) => clearTimeout(timers.get(keyOf(socket))));
}
