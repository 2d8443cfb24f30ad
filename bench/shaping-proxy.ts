/**
 * A process that stands before servers as a network would: each of its ports leads to one of them,
 * over a link with a latency and a rate that may change. Nothing but that: it knows no protocol.
 *
 * Usage: `shaping-proxy.ts '{"world": NAME, "sizeMiB": N, "targets": [PORT, …]}'`. It prints its
 * addresses as a JSON list, and ends when its stdin does. Establishing a connection costs no latency
 * here; every byte after it does.
 */

import { type AddressInfo, connect, createServer, type Server, type Socket } from "node:net";
import { MiB } from "../src/limits/byte-units.js";
import { Link } from "../test/simulation/link.js";
import { capOf, realWorld } from "./real-worlds.js";
import type { WorldReplica } from "./schedule-worlds.js";

/** Bytes that wait before a link: what a router would queue. Beyond, the sender is held back. */
const queueBytes = 64 * 1024;
/** The same as a time, where that is more: timers here are a millisecond or two late. */
const queueMs = 10;
/**
 * What leaves a link at a time: far less than the queue, or the link would run empty before the next
 * bytes are asked for; a read of 64 KiB at 5 MB/s lost it 8 % of its rate.
 */
const packetBytes = 16 * 1024;

const { world, sizeMiB, targets } = JSON.parse(process.argv[2] ?? "") as {
  readonly world: string;
  readonly sizeMiB: number;
  readonly targets: readonly number[];
};
const { replicas, cap } = realWorld(world, sizeMiB);
let clientLink: Link | undefined;

/** The worlds' time begins with the first byte that a client sends. */
let startedAt: number | undefined;

function now(): number {
  startedAt ??= performance.now();
  return performance.now() - startedAt;
}

/** Lets things out in the order in which they came in, none before its time. */
class Line<Thing> {
  readonly #waiting: { readonly at: number; readonly thing: Thing }[] = [];
  readonly #letOut: (thing: Thing) => void;
  #timer: NodeJS.Timeout | undefined;

  constructor(letOut: (thing: Thing) => void) {
    this.#letOut = letOut;
  }

  /** `at` may be infinite: a silent link keeps everything that comes after, too. */
  add(at: number, thing: Thing): void {
    this.#waiting.push({ at, thing });
    this.#wait();
  }

  clear(): void {
    this.#waiting.length = 0;
    clearTimeout(this.#timer);
  }

  #wait(): void {
    const [first] = this.#waiting;
    if (this.#timer !== undefined || first === undefined || first.at === Infinity) return;
    this.#timer = setTimeout(() => this.#look(), Math.max(0, first.at - now()));
  }

  #look(): void {
    this.#timer = undefined;
    for (;;) {
      const [first] = this.#waiting;
      if (first === undefined || first.at > now()) break;
      this.#waiting.shift();
      this.#letOut(first.thing);
    }
    this.#wait();
  }
}

/** Bytes, or the end of them. */
type Passing = Buffer | undefined;

function pass(client: Socket, server: Socket, link: Link, { rateAt, latencyMs }: WorldReplica) {
  let queued = 0;
  const flow = () => {
    const most = Math.max(queueBytes, (rateAt(now()) * queueMs) / 1000);
    if (queued < most && !client.writableNeedDrain) server.resume();
    else server.pause();
  };
  const back = new Line<Passing>((bytes) => {
    if (bytes === undefined) client.end();
    else client.write(bytes);
    flow();
  });
  const beforeClient = new Line<Passing>((bytes) => {
    queued -= bytes?.length ?? 0;
    back.add(now() + latencyMs / 2, bytes);
    flow();
  });
  const beforeLink = new Line<Passing>((bytes) => {
    beforeClient.add(clientLink?.pass(bytes?.length ?? 0, now()) ?? now(), bytes);
  });
  const there = new Line<Passing>((bytes) => {
    if (bytes === undefined) server.end();
    else server.write(bytes);
  });
  server.on("data", (bytes) => {
    queued += bytes.length;
    for (let start = 0; start < bytes.length; start += packetBytes) {
      const packet = bytes.subarray(start, start + packetBytes);
      beforeLink.add(link.pass(packet.length, now()), packet);
    }
    flow();
  });
  server.on("end", () => beforeLink.add(link.pass(0, now()), undefined));
  client.on("drain", flow);
  client.on("data", (bytes) => there.add(now() + latencyMs / 2, bytes));
  client.on("end", () => there.add(now() + latencyMs / 2, undefined));
  // Whoever breaks off breaks off at once: what is under way is lost.
  client.on("close", () => {
    for (const line of [back, beforeClient, beforeLink, there]) line.clear();
    server.destroy();
  });
  for (const socket of [client, server]) socket.on("error", () => client.destroy());
}

/**
 * Passes some MiB from itself to itself: what runs for the first time here takes 10 ms longer, as no
 * network does.
 */
async function warmUp(): Promise<void> {
  const bytes = Buffer.alloc(4 * MiB);
  const source = createServer((socket) => socket.end(bytes));
  const proxy = createServer({ allowHalfOpen: true, noDelay: true }, (client) => {
    const server = connect({ port: portOf(source), host: "127.0.0.1", allowHalfOpen: true });
    pass(client, server, new Link(() => 1e9), { rateAt: () => 1000, latencyMs: 1 });
  });
  for (const server of [source, proxy]) {
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  }
  const client = connect({ port: portOf(proxy), host: "127.0.0.1" }).resume();
  client.write("anything");
  await new Promise((resolve) => client.once("close", resolve));
  source.close();
  proxy.close();
  startedAt = undefined;
}

function portOf(server: Server): number {
  return (server.address() as AddressInfo).port;
}

await warmUp();
if (cap !== undefined) clientLink = new Link(() => capOf(cap));
const addresses = await Promise.all(
  replicas.map(async (replica, index) => {
    const link = new Link(replica.rateAt);
    const port = targets[index];
    if (port === undefined) throw new Error(`replica ${index} has no target`);
    const listener = createServer({ allowHalfOpen: true, noDelay: true }, (client) => {
      const server = connect({ port, host: "127.0.0.1", allowHalfOpen: true, noDelay: true });
      pass(client, server, link, replica);
    });
    // Each on an address of its own: aria2 takes equal hosts for one server.
    const host = `127.0.0.${index + 1}`;
    await new Promise<void>((resolve) => listener.listen(0, host, resolve));
    return `${host}:${portOf(listener)}`;
  }),
);
process.stdout.write(`${JSON.stringify(addresses)}\n`);
process.stdin.on("end", () => process.exit(0)).resume();
