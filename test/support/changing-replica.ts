/** Replicas whose file becomes another one while it is read. */

import {
  type Call,
  type Chunk,
  type ReadRequest,
  type Replica,
  ReplicaFault,
} from "../../src/ports.js";

/** Serves the first file, and the second one from the moment that `hasChanged` says so. */
export function replaced(before: Replica, after: Replica, hasChanged: () => boolean): Replica {
  const now = () => (hasChanged() ? after : before);
  return {
    claim: (name, call) => now().claim(name, call),
    size: (name, call) => now().size(name, call),
    pieces: (request, call) => now().pieces(request, call),
    list: (request, call) => now().list(request, call),
    read: (request, call) => readOf(now, request, call),
  };
}

async function* readOf(
  now: () => Replica,
  request: ReadRequest,
  call: Call,
): AsyncGenerator<Chunk> {
  const opened = now();
  for await (const chunk of opened.read(request, call)) {
    if (now() !== opened) throw new ReplicaFault({ kind: "changed", detail: "another version" });
    yield chunk;
  }
}

/** Claims the same for ever, and says after so many chunks that it changed. */
export function turning(replica: Replica, chunks: number): Replica {
  let left = chunks;
  return {
    ...replica,
    async *read(request, call) {
      for await (const chunk of replica.read(request, call)) {
        if (left-- <= 0) throw new ReplicaFault({ kind: "changed", detail: "so it says" });
        yield chunk;
      }
    },
  };
}
