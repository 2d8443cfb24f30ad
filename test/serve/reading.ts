/** Calls to replicas, and reading them to the end, for tests. */

import { type Call, type Chunk, type Replica, ReplicaFault } from "../../src/ports.js";
import type { Fault } from "../../src/schedule/faults.js";
import type { Digest } from "../../src/trust/digest.js";

/** A call that ends by this signal; by none of its own without one. */
export function call(signal: AbortSignal = new AbortController().signal): Call {
  return { signal, deadlineMs: 10_000 };
}

/** Asks for a range of `a.bin`. */
export function asked(start: number, end: number, ifDigest?: Digest) {
  return { name: "a.bin", range: { start, end }, ifDigest };
}

/** All bytes of a read, copied. */
export async function bytesOf(chunks: AsyncIterable<Chunk>): Promise<Buffer> {
  const parts: Uint8Array[] = [];
  for await (const { bytes } of chunks) parts.push(Uint8Array.from(bytes));
  return Buffer.concat(parts);
}

/** The fault that something ends with; any other end is an error. */
export async function faultOf(promise: Promise<unknown>): Promise<Fault> {
  try {
    await promise;
  } catch (error) {
    if (error instanceof ReplicaFault) return error.fault;
    throw error;
  }
  throw new Error("there was no fault");
}

/** A replica that fails every call with this. */
export function failing(error: Error): Replica {
  const fail = () => Promise.reject(error);
  return {
    claim: fail,
    size: fail,
    pieces: fail,
    list: fail,
    // biome-ignore lint/correctness/useYield: it fails before it has anything to give.
    async *read() {
      throw error;
    },
  };
}

/** Something that happens later, when a test says so. */
export class Deferred<Value> {
  readonly promise: Promise<Value>;
  resolve: (value: Value) => void = () => {};
  reject: (error: unknown) => void = () => {};

  constructor() {
    this.promise = new Promise<Value>((resolve, reject) => {
      this.resolve = resolve;
      this.reject = reject;
    });
  }
}
