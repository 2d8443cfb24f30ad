/** Streams a range to a client, however slow it is, in chunks that fit its pace. */

import { type CallContext, ServerError, Status } from "nice-grpc";
import type { ReadRangeRequest } from "../../gen/quorate/v1/replica_pb.js";
import { limits } from "../limits.js";
import type { Call, Chunk, Replica } from "../ports.js";
import { ReplicaFault } from "../ports.js";
import { type Connections, streamKey } from "./connections.js";
import { Pace } from "./pace.js";
import { ReadWire, type SendMemory } from "./read-wire.js";
import { ifDigestOf, offsetOf } from "./request.js";

/** The reads of one server. */
export interface Reads {
  /** Whether those that still run are to end: the server does. */
  isOver: boolean;
  readonly memory: SendMemory;
}

/**
 * The first message of a read; those behind it are sent on the read's own stream. gRPC sends the
 * headers before the first one, and the status behind the last.
 */
export async function* readRange(
  replica: Replica,
  { name, offset, length, ifDigest }: ReadRangeRequest,
  context: CallContext,
  { call, reads, connections }: { call: Call; reads: Reads; connections: Connections },
) {
  const start = offsetOf(offset);
  const end = length === 0n ? (await replica.size(name, call)).size : start + offsetOf(length);
  const range = { start, end: Math.max(start, end) };
  const open = connections.streamOf(context.metadata.get(streamKey));
  if (open === undefined) throw new ServerError(Status.CANCELLED, "the client left");
  const { signal } = call;
  const onTaken = () => open.takenCount++;
  const { memory } = reads;
  const wire = new ReadWire(open.stream, { memory, signal, onTaken });
  const pace = new Pace();
  const room = (_: number, most: number) => wire.room(Math.min(most, pace.bytes, memory.share));
  let isFirst = true;
  memory.reads++;
  try {
    const request = { name, range, ifDigest: ifDigestOf(ifDigest), room };
    for await (const chunk of replica.read(request, call)) {
      if (reads.isOver) throw new ReplicaFault({ kind: "busy", retryMs: limits.drainMs });
      const handedAt = performance.now();
      open.sentBytes += chunk.bytes.length;
      if (isFirst) yield messageOf(chunk);
      else await wire.send(chunk);
      isFirst = false;
      pace.took(performance.now() - handedAt);
    }
  } finally {
    memory.reads--;
    wire.end();
  }
}

/** With bytes of its own: gRPC keeps it for as long as it likes. */
function messageOf({ offset, bytes }: Chunk) {
  return { offset: BigInt(offset), data: Uint8Array.from(bytes) };
}
