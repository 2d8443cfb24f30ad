/** Serves what a group of virtual servers does as Prometheus text. */

import { createServer, type Server } from "node:http";
import { Counter, collectDefaultMetrics, Gauge, Registry } from "prom-client";
import { limits } from "../limits.js";
import type { CallRecord } from "../server-ports.js";

/** What is read whenever somebody asks. */
export interface Gauged {
  /** Each virtual server, by its port. */
  readonly servers: () => readonly {
    readonly port: number;
    readonly state: string;
    readonly streams: number;
    readonly bytes: number;
  }[];
  /** Files being hashed, and those that wait for it. */
  readonly hashing: () => { readonly running: number; readonly waiting: number };
}

/** Metrics, until they are closed. */
export interface Metrics {
  readonly port: number;
  count(port: number, record: CallRecord): void;
  close(): void;
}

/** Listens; rejects when the port cannot be had. */
export async function serveMetrics(
  at: { readonly host: string; readonly port: number },
  gauged: Gauged,
): Promise<Metrics> {
  const registry = new Registry();
  // The process: memory, CPU, descriptors, event-loop lag.
  collectDefaultMetrics({ register: registry });
  const calls = new Counter({
    name: "quorate_calls_total",
    help: "Calls that are over, by virtual server, method and status.",
    labelNames: ["port", "method", "status"],
    registers: [registry],
  });
  gauges(registry, gauged);
  const server = createServer((request, response) => {
    if (request.method !== "GET" || request.url !== "/metrics") {
      response.writeHead(404).end();
      return;
    }
    registry.metrics().then(
      (text) => response.writeHead(200, { "content-type": registry.contentType }).end(text),
      () => response.writeHead(500).end(),
    );
  });
  server.maxConnections = limits.metricsConnections;
  server.headersTimeout = limits.metricsRequestMs;
  server.requestTimeout = limits.metricsRequestMs;
  const port = await listening(server, at);
  server.on("error", () => {});
  return {
    port,
    count: (served, { method, status }) => calls.inc({ port: served, method, status }),
    close() {
      server.close();
      server.closeAllConnections();
    },
  };
}

function gauges(registry: Registry, { servers, hashing }: Gauged): void {
  const registers = [registry];
  new Gauge({
    name: "quorate_up",
    help: "Whether a virtual server takes calls.",
    labelNames: ["port"],
    registers,
    collect() {
      for (const { port, state } of servers()) this.set({ port }, state === "alive" ? 1 : 0);
    },
  });
  new Gauge({
    name: "quorate_streams",
    help: "Reads that run now.",
    labelNames: ["port"],
    registers,
    collect() {
      for (const { port, streams } of servers()) this.set({ port }, streams);
    },
  });
  new Counter({
    name: "quorate_sent_bytes_total",
    help: "Bytes of files handed to the wire.",
    labelNames: ["port"],
    registers,
    // The virtual servers count by themselves; this only says so.
    collect() {
      this.reset();
      for (const { port, bytes } of servers()) this.inc({ port }, bytes);
    },
  });
  new Gauge({
    name: "quorate_hashing",
    help: "Files being hashed, and waiting for it.",
    labelNames: ["state"],
    registers,
    collect() {
      const { running, waiting } = hashing();
      this.set({ state: "running" }, running);
      this.set({ state: "waiting" }, waiting);
    },
  });
}

function listening(
  server: Server,
  { host, port }: { readonly host: string; readonly port: number },
): Promise<number> {
  return new Promise((resolve, reject) => {
    server.once("error", reject);
    server.listen({ host, port }, () => {
      server.removeListener("error", reject);
      const address = server.address();
      resolve(typeof address === "object" && address !== null ? address.port : port);
    });
  });
}
