/** Keeps reads within a rate: all of a virtual server together, or those of each client. */

import { limits } from "../limits.js";
import { type Call, type Clock, type Replica, sameReplica } from "../ports.js";
import { TokenBucket } from "../schedule/token-bucket.js";
import { callerOf } from "./bounded-replica.js";

/** A rate and the time to keep it by. */
export interface ShapeOptions {
  readonly rateBytesPerSecond: number;
  readonly clock: Clock;
}

/** A replica that does what `replica` does, at no more than `rateBytesPerSecond`. */
export function shapedReplica(replica: Replica, options: ShapeOptions): Replica {
  const bucket = new TokenBucket(options.rateBytesPerSecond);
  return shapedBy(replica, options, () => bucket);
}

/** The same for each client by itself, whichever replica it asks: share `rates` among them. */
export function shapedPerClient(
  replica: Replica,
  options: ShapeOptions,
  rates: ClientRates,
): Replica {
  return shapedBy(replica, options, (call) => rates.of(callerOf(call), options.clock.now()));
}

/** The rates of clients; those that have been quiet are forgotten, for they are owed nothing. */
export class ClientRates {
  readonly #rate: number;
  readonly #buckets = new Map<string, TokenBucket>();

  constructor(rateBytesPerSecond: number) {
    this.#rate = rateBytesPerSecond;
  }

  of(client: string, now: number): TokenBucket {
    const known = this.#buckets.get(client);
    if (known !== undefined) return known;
    for (const [other, bucket] of this.#buckets) {
      if (this.#buckets.size < limits.readsInFlight) break;
      if (!bucket.isHolding(now)) this.#buckets.delete(other);
    }
    const bucket = new TokenBucket(this.#rate);
    this.#buckets.set(client, bucket);
    return bucket;
  }
}

function shapedBy(
  replica: Replica,
  { rateBytesPerSecond, clock }: ShapeOptions,
  bucketFor: (call: Call) => TokenBucket,
): Replica {
  const step = chunkBytesFor(rateBytesPerSecond);
  return {
    ...sameReplica(replica),
    async *read(request, call) {
      const { room } = request;
      const small = room && ((from: number, most: number) => room(from, Math.min(most, step)));
      for await (const { offset, bytes } of replica.read({ ...request, room: small }, call)) {
        for (let from = 0; from < bytes.length; from += step) {
          const part = bytes.subarray(from, from + step);
          const waitMs = bucketFor(call).take(part.length, clock.now());
          if (waitMs > 0) await clock.sleep(waitMs, call.signal);
          yield { offset: offset + from, bytes: part };
        }
      }
    },
  };
}

/**
 * Bytes in a chunk under a rate: small enough that chunks keep coming, so that no clock takes it
 * for a stall.
 */
export function chunkBytesFor(rateBytesPerSecond: number): number {
  const even = Math.floor(rateBytesPerSecond / limits.chunksPerSecond);
  return Math.min(limits.chunkBytes, Math.max(limits.chunkFloorBytes, even));
}
