/**
 * Streams a range to a client: one chunk on the wire and one behind it, however slow the client is,
 * and chunks that fit its pace.
 */

import type { CallContext } from "nice-grpc";
import type { ReadRangeRequest } from "../../gen/quorate/v1/replica_pb.js";
import { limits } from "../limits.js";
import type { Call, Replica } from "../ports.js";
import { ReplicaFault } from "../ports.js";
import { type Connections, streamKey } from "./connections.js";
import { ReadMessage } from "./read-message.js";
import { digestOf, offsetOf } from "./request.js";

/** The reads of one server. */
export interface Reads {
  /** Reads that run now. */
  count: number;
  /** Whether those that still run are to end: the server does. */
  isOver: boolean;
}

/** The messages of one read, each valid until the next one is asked for. */
export async function* readRange(
  replica: Replica,
  { name, offset, length, ifDigest }: ReadRangeRequest,
  context: CallContext,
  { call, reads, connections }: { call: Call; reads: Reads; connections: Connections },
) {
  const id = context.metadata.get(streamKey);
  const start = offsetOf(offset);
  const end = length === 0n ? (await replica.size(name, call)).size : start + offsetOf(length);
  const range = { start, end: Math.max(start, end) };
  const message = new ReadMessage();
  const pace = new Pace();
  const room = (from: number, most: number) =>
    message.room(from, Math.min(most, pace.bytes, shareOf(reads.count)));
  reads.count++;
  try {
    const request = { name, range, ifDigest: digestOf(ifDigest), room };
    for await (const chunk of replica.read(request, call)) {
      if (reads.isOver) throw new ReplicaFault({ kind: "busy", retryMs: limits.drainMs });
      const handedAt = performance.now();
      yield message.fill(chunk);
      await message.taken(call.signal);
      connections.taken(id);
      pace.took(performance.now() - handedAt);
    }
  } finally {
    reads.count--;
  }
}

/** Of the memory for everything that waits to be sent, what one of so many reads may take. */
function shareOf(reads: number): number {
  return Math.max(limits.firstChunkBytes, Math.floor(limits.sendBytes / (2 * Math.max(1, reads))));
}

/**
 * How large the next chunk is. The first is small, so that on a slow link the first byte is not a
 * whole chunk late; then they grow while they are taken quickly, and shrink when they are not.
 */
class Pace {
  bytes: number = limits.firstChunkBytes;

  took(ms: number): void {
    if (ms < limits.fastChunkMs) this.bytes = Math.min(2 * this.bytes, limits.chunkBytes);
    else if (ms > limits.slowChunkMs) {
      this.bytes = Math.max(Math.floor(this.bytes / 2), limits.chunkFloorBytes);
    }
  }
}
