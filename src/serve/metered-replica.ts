/**
 * Counts what a virtual server does, for its report: calls, streams, bytes, errors. Changes
 * nothing.
 */

import { type Call, type Chunk, type ReadRequest, type Replica, ReplicaFault } from "../ports.js";
import { consequenceOf } from "../schedule/faults.js";

/** What was counted since the group started; starting a virtual server again does not reset it. */
export interface Counters {
  /** Calls that have begun, of any kind. */
  calls: number;
  /** Reads that run now. */
  streams: number;
  /** Bytes handed to the wire. */
  bytes: number;
  /** Calls that failed; what the client ended, or was told to come back for, did not. */
  errors: number;
}

export function newCounters(): Counters {
  return { calls: 0, streams: 0, bytes: 0, errors: 0 };
}

/** A replica that does what `replica` does, and counts it. */
export function meteredReplica(replica: Replica, counters: Counters): Replica {
  async function counted<Result>(call: Call, run: () => Promise<Result>): Promise<Result> {
    counters.calls++;
    try {
      return await run();
    } catch (error) {
      if (isFailure(error, call)) counters.errors++;
      throw error;
    }
  }
  async function* read(request: ReadRequest, call: Call): AsyncGenerator<Chunk> {
    counters.calls++;
    counters.streams++;
    try {
      for await (const chunk of replica.read(request, call)) {
        yield chunk;
        counters.bytes += chunk.bytes.length;
      }
    } catch (error) {
      if (isFailure(error, call)) counters.errors++;
      throw error;
    } finally {
      counters.streams--;
    }
  }
  return {
    claim: (name, call) => counted(call, () => replica.claim(name, call)),
    size: (name, call) => counted(call, () => replica.size(name, call)),
    pieces: (request, call) => counted(call, () => replica.pieces(request, call)),
    list: (request, call) => counted(call, () => replica.list(request, call)),
    read,
  };
}

function isFailure(error: unknown, { signal }: Call): boolean {
  if (signal.aborted) return false;
  return !(error instanceof ReplicaFault) || consequenceOf(error.fault).kind !== "wait";
}
