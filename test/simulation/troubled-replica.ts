/** Puts a trouble on a simulated replica. */

import { type Chunk, type Clock, type Replica, ReplicaFault } from "../../src/ports.js";
import { digestOf } from "../../src/trust/digest.js";
import type { Seeded } from "../support/seeded.js";
import type { RateAt } from "./link.js";
import type { Trouble } from "./random-world.js";

/** The rate of a link that is silent for a while. */
export function silenced(rateAt: RateAt, trouble: Trouble): RateAt {
  if (trouble.kind !== "silent") return rateAt;
  return (ms) => (ms >= trouble.from && ms < trouble.until ? 0 : rateAt(ms));
}

/** What is met of each trouble, so that a suite can tell when it never tried one. */
export type Marks = Map<Trouble["kind"], number>;

/** The replica with its trouble; `marks` counts how often it came to bear. */
export function troubledReplica(
  replica: Replica,
  trouble: Trouble,
  {
    clock,
    chance,
    marks,
  }: { readonly clock: Clock; readonly chance: Seeded; readonly marks: Marks },
): Replica {
  const mark = () => marks.set(trouble.kind, (marks.get(trouble.kind) ?? 0) + 1);
  const check = () => {
    const fault = faultNow(trouble, clock.now());
    if (fault === undefined) return;
    mark();
    throw fault;
  };
  async function* read(
    request: Parameters<Replica["read"]>[0],
    call: Parameters<Replica["read"]>[1],
  ): AsyncGenerator<Chunk> {
    check();
    const { start, end } = request.range;
    const isShort = trouble.kind === "short" && chance.next() < trouble.share;
    const stop = isShort ? start + Math.floor((end - start) * chance.next()) : end;
    for await (const chunk of replica.read(request, call)) {
      check();
      if (chunk.offset + chunk.bytes.length > stop) {
        mark();
        return;
      }
      yield trouble.kind === "corrupt" && chance.next() < trouble.share ? flipped(chunk) : chunk;
    }
  }
  function flipped({ offset, bytes }: Chunk): Chunk {
    mark();
    const changed = Uint8Array.from(bytes);
    const place = chance.below(changed.length);
    changed[place] = (changed[place] ?? 0) ^ 255;
    return { offset, bytes: changed };
  }
  return {
    async claim(name, call) {
      check();
      const honest = await replica.claim(name, call);
      const lies = trouble.kind === "lie" || trouble.kind === "changes-its-story";
      if (!lies) return honest;
      mark();
      const story = trouble.kind === "lie" ? "one lie" : `a lie of ${clock.now()}`;
      const invented = digestOf(Buffer.from(story));
      const { size } = honest.claim;
      return { ...honest, claim: { size, digest: invented, root: invented } };
    },
    size: (name, call) => replica.size(name, call),
    pieces: (request, call) => replica.pieces(request, call),
    list: (request, call) => replica.list(request, call),
    read,
  };
}

function faultNow(trouble: Trouble, now: number): ReplicaFault | undefined {
  switch (trouble.kind) {
    case "away":
      if (now < trouble.from || now >= trouble.until) return undefined;
      return new ReplicaFault({ kind: "unreachable", detail: "away" });
    case "busy":
      if (now < trouble.from || now >= trouble.until) return undefined;
      return new ReplicaFault({ kind: "busy", retryMs: 300 });
    case "changed":
      if (now < trouble.from) return undefined;
      return new ReplicaFault({ kind: "changed", detail: "another version" });
    default:
      return undefined;
  }
}
