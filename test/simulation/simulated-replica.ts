/** A replica in virtual time: a rate, a latency, and ways to misbehave. The bytes are real. */

import { type Call, type Chunk, type Clock, type Replica, ReplicaFault } from "../../src/ports.js";
import { Link } from "./link.js";

/** How a simulated replica behaves. */
export interface Behaviour {
  /** Milliseconds from a question to the first byte of its answer. */
  readonly latencyMs: number;
  /** Its own link. */
  readonly link: Link;
  /** The client's, when that is the narrow place. */
  readonly clientLink?: Link | undefined;
  /** Bytes per second that one connection carries, when that is less than its link does. */
  readonly connectionRate?: number | undefined;
  /** Connections that it takes from one client; any number by default. */
  readonly connections?: number | undefined;
  /** Bytes of a read that lie in buffers on the way, and come before anything else; one chunk's. */
  readonly bufferBytes?: number | undefined;
  readonly chunkBytes: number;
  /** Whether chunks are gathered, as on a connection of our own, before they are handed over. */
  readonly isGathered?: boolean | undefined;
  /** The file's bytes. */
  readonly content: Uint8Array;
}

/** Gathered chunks are handed over once they are so large, or the last one is so long ago. */
const gatheredBytes = 512 * 1024;
const gatheredMs = 25;

/** A replica that answers as `honest` does, but at the pace of its links. */
export function simulatedReplica(honest: Replica, behaviour: Behaviour, clock: Clock): Replica {
  const { latencyMs, link, clientLink, connectionRate, chunkBytes, content } = behaviour;
  async function late<Answer>(call: Call, answer: () => Promise<Answer>): Promise<Answer> {
    await sleepWithin(clock, latencyMs, call);
    return answer();
  }
  const connections = new Map<number, Link>();
  const connectionOf = (lane: number): Link | undefined => {
    if (connectionRate === undefined) return undefined;
    const connection = connections.get(lane) ?? new Link(() => connectionRate);
    connections.set(lane, connection);
    return connection;
  };
  async function* read(request: Parameters<Replica["read"]>[0], call: Call): AsyncGenerator<Chunk> {
    const { start, end } = request.range;
    if ((call.lane ?? 0) >= (behaviour.connections ?? Number.POSITIVE_INFINITY)) {
      throw new ReplicaFault({ kind: "unreachable", detail: "one connection too many" });
    }
    await sleepWithin(clock, latencyMs, call);
    let offset = start;
    const connection = connectionOf(call.lane ?? 0);
    /** When the chunks that were sent ahead will have been carried. */
    const sentAhead: number[] = [];
    let sent = start;
    /** Until its own link has carried the next chunk. */
    const carried = (): Promise<void> => {
      const now = clock.now();
      const most = offset + Math.max(chunkBytes, behaviour.bufferBytes ?? 0);
      while (sent < Math.min(end, most)) {
        const bytes = Math.min(chunkBytes, end - sent);
        // What one connection holds back, the link carries for others meanwhile.
        sentAhead.push(Math.max(link.pass(bytes, now), connection?.pass(bytes, now) ?? now));
        sent += bytes;
      }
      return sleepUntil(clock, sentAhead.shift() ?? now, call);
    };
    let coming = carried();
    let handed = start;
    let handedAt = Number.NEGATIVE_INFINITY;
    try {
      while (offset < end) {
        await coming;
        offset = Math.min(offset + chunkBytes, end);
        const isDue = offset - handed >= gatheredBytes || clock.now() - handedAt > gatheredMs;
        if (behaviour.isGathered === true && !isDue && offset < end) {
          coming = carried();
          continue;
        }
        const chunk = { offset: handed, bytes: content.subarray(handed, offset) };
        handed = offset;
        handedAt = clock.now();
        if (clientLink !== undefined) {
          // The next one is on its way while this one passes: two links in a row are one pipe.
          if (offset < end) coming = ahead(carried());
          await sleepUntil(clock, clientLink.pass(chunk.bytes.length, clock.now()), call);
        }
        yield chunk;
        if (clientLink === undefined && offset < end) coming = carried();
      }
    } finally {
      // Who stops reading has half a round trip's worth of bytes on the way to it, or the rest of
      // what was asked for, all in vain.
      if (offset < end) link.block(clock.now(), latencyMs / 2, end - sent);
    }
  }
  return {
    claim: (name, call) => late(call, () => honest.claim(name, call)),
    size: (name, call) => late(call, () => honest.size(name, call)),
    pieces: (request, call) => late(call, () => honest.pieces(request, call)),
    list: (request, call) => late(call, () => honest.list(request, call)),
    read,
  };
}

/** Begun before anybody waits for it: what it fails with is told only then. */
function ahead(leg: Promise<void>): Promise<void> {
  leg.catch(() => {});
  return leg;
}

function sleepUntil(clock: Clock, at: number, call: Call): Promise<void> {
  return sleepWithin(clock, at - clock.now(), call);
}

/** Sleeps, but never beyond the call's deadline, nor for ever. */
export async function sleepWithin(clock: Clock, ms: number, call: Call): Promise<void> {
  if (ms <= call.deadlineMs) {
    if (ms > 0) await clock.sleep(ms, call.signal);
    return;
  }
  await clock.sleep(call.deadlineMs, call.signal);
  throw new ReplicaFault({ kind: "late", clock: "lease", waitedMs: call.deadlineMs });
}
