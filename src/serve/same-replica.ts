/** What decorators of replicas begin with. */

import type { Replica } from "../ports.js";

/** A replica that does what `replica` does; a decorator replaces what it changes. */
export function sameReplica(replica: Replica): Replica {
  return {
    claim: (name, call) => replica.claim(name, call),
    size: (name, call) => replica.size(name, call),
    pieces: (request, call) => replica.pieces(request, call),
    list: (request, call) => replica.list(request, call),
    read: (request, call) => replica.read(request, call),
  };
}
