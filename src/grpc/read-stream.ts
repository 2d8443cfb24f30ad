/** Streams a range to a client, however slow it is, in chunks that fit its pace. */

import type { ServerHttp2Stream } from "node:http2";
import { type CallContext, ServerError, Status } from "nice-grpc";
import type { ReadRangeRequest } from "../../gen/quorate/v1/replica_pb.js";
import { limits } from "../limits.js";
import type { Call, Replica } from "../ports.js";
import { ReplicaFault } from "../ports.js";
import { ChunkSize } from "./chunk-size.js";
import { type Connections, streamKey } from "./connections.js";
import { ReadWire, type SendMemory } from "./read-wire.js";
import { ifDigestOf, offsetOf } from "./request.js";

/** The reads of one server. */
export interface Reads {
  /** Whether those that still run are to end: the server does. */
  isOver: boolean;
  readonly memory: SendMemory;
}

/**
 * Sends a read on the call's own stream. gRPC sends the headers before its first message, and the
 * status behind the last.
 */
export async function sendRange(
  replica: Replica,
  { name, offset, length, ifDigest }: ReadRangeRequest,
  context: CallContext,
  { call, reads, connections }: { call: Call; reads: Reads; connections: Connections },
): Promise<void> {
  const start = offsetOf(offset);
  const end = length === 0n ? (await replica.size(name, call)).size : start + offsetOf(length);
  const range = { start, end: Math.max(start, end) };
  const open = connections.streamOf(context.metadata.get(streamKey));
  if (open === undefined) throw new ServerError(Status.CANCELLED, "the client left");
  const { signal } = call;
  const onTaken = () => open.takenCount++;
  const { memory } = reads;
  const wire = new ReadWire(open.stream, { memory, signal, onTaken });
  const chunkSize = new ChunkSize();
  const room = (_: number, most: number) =>
    wire.room(Math.min(most, chunkSize.bytes, memory.share));
  memory.reads++;
  try {
    const request = { name, range, ifDigest: ifDigestOf(ifDigest), room };
    for await (const chunk of replica.read(request, call)) {
      if (reads.isOver) throw new ReplicaFault({ kind: "busy", retryMs: limits.drainMs });
      const handedAt = performance.now();
      open.sentBytes += chunk.bytes.length;
      sendHeaders(open.stream, context);
      await wire.send(chunk);
      chunkSize.took(performance.now() - handedAt);
    }
  } finally {
    memory.reads--;
    wire.end();
  }
}

/** Has gRPC send the headers, unless it did. */
function sendHeaders(stream: ServerHttp2Stream, { header, sendHeader }: CallContext): void {
  if (stream.headersSent) return;
  // nice-grpc sends them ahead of a message only if one of them is ours; gRPC's own say the same.
  header.set("grpc-encoding", "identity");
  sendHeader();
  if (!stream.headersSent) throw new ServerError(Status.CANCELLED, "the client left");
}
