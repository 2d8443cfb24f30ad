/** Decides how much may be asked for at once, of one process and by one client. */

import { limits } from "../limits.js";
import { type Call, type Replica, ReplicaFault, sameReplica } from "../ports.js";

/** How much at once. */
export interface ReadBounds {
  /** Reads in flight over all virtual servers. */
  readonly reads: number;
  /** Reads in flight for one client's address. */
  readonly readsPerClient: number;
}

/** Counts what is in flight, for all virtual servers of a group together. */
export class InFlight {
  readonly #bounds: ReadBounds;
  readonly #perClient = new Map<string, number>();
  #reads = 0;
  #listings = 0;

  constructor(bounds: ReadBounds) {
    this.#bounds = bounds;
  }

  get reads(): number {
    return this.#reads;
  }

  /** Counts a read until the result is disposed of; throws `busy` past a bound. */
  read(client: string): Disposable {
    const own = this.#perClient.get(client) ?? 0;
    if (this.#reads >= this.#bounds.reads || own >= this.#bounds.readsPerClient) throw busy();
    this.#reads++;
    this.#perClient.set(client, own + 1);
    return {
      [Symbol.dispose]: () => {
        this.#reads--;
        const left = (this.#perClient.get(client) ?? 1) - 1;
        if (left > 0) this.#perClient.set(client, left);
        else this.#perClient.delete(client);
      },
    };
  }

  /** The same for a list of files. */
  listing(): Disposable {
    if (this.#listings >= limits.listingsInFlight) throw busy();
    this.#listings++;
    return {
      [Symbol.dispose]: () => {
        this.#listings--;
      },
    };
  }
}

/** A replica that does what `replica` does within bounds; past them it is `busy`, at once. */
export function boundedReplica(replica: Replica, inFlight: InFlight): Replica {
  return {
    ...sameReplica(replica),
    async list(request, call) {
      using _listing = inFlight.listing();
      return await replica.list(request, call);
    },
    async *read(request, call) {
      using _read = inFlight.read(callerOf(call));
      yield* replica.read(request, call);
    },
  };
}

/** Who asks, to count by; calls within the process count as one client's. */
export function callerOf({ client }: Call): string {
  return client ?? "";
}

function busy(): ReplicaFault {
  return new ReplicaFault({ kind: "busy", retryMs: limits.busyRetryMs });
}
