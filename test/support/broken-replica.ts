/** Replicas that do one thing wrong, and the rest right: decorators, one for each vice. */

import type { Call, Chunk, Clock, NamedClaim, ReadRequest, Replica } from "../../src/ports.js";
import { ReplicaFault, sameReplica } from "../../src/ports.js";
import type { Fault } from "../../src/schedule/faults.js";
import { digestOf } from "../../src/trust/digest.js";

/** The same replica, but for what is said here. */
export function altered(replica: Replica, changes: Partial<Replica>): Replica {
  return { ...sameReplica(replica), ...changes };
}

/** One turn of the event loop: what a wire takes at least. Ends by the signal, as a call must. */
async function turn(signal: AbortSignal): Promise<void> {
  await new Promise((resolve) => setImmediate(resolve));
  signal.throwIfAborted();
}

/** Rejects when the call's time is up, or with the signal's reason; gives nothing before. */
export async function nothing(
  clock: Clock,
  { signal, deadlineMs }: Call,
  which: "answer" | "lease" = "answer",
): Promise<never> {
  await clock.sleep(deadlineMs, signal);
  throw new ReplicaFault({ kind: "late", clock: which, waitedMs: deadlineMs });
}

function thrown(fault: Fault): never {
  throw new ReplicaFault(fault);
}

const unreachable: Fault = { kind: "unreachable", detail: "the connection broke" };

/** Never answers anything. */
export function silent(replica: Replica, clock: Clock): Replica {
  return altered(replica, {
    claim: (_, call) => nothing(clock, call),
    size: (_, call) => nothing(clock, call),
    pieces: (_, call) => nothing(clock, call),
    list: (_, call) => nothing(clock, call),
    read: (_, call) => mute(clock, call),
  });
}

/** Claims, and then never sends a byte. */
export function withoutBytes(replica: Replica, clock: Clock): Replica {
  return altered(replica, { read: (_, call) => mute(clock, call) });
}

async function* mute(clock: Clock, call: Call): AsyncGenerator<Chunk> {
  yield await nothing(clock, call, "lease");
}

/** Sends so many chunks of each range, and then nothing more. */
export function stallingAfter(replica: Replica, chunks: number, clock: Clock): Replica {
  return altered(replica, {
    async *read(request, call) {
      yield* firstChunks(replica, request, call, chunks);
      await nothing(clock, call, "lease");
    },
  });
}

/** Answers the question for its claim so much later. */
export function lateClaim(replica: Replica, ms: number, clock: Clock): Replica {
  return altered(replica, {
    async claim(name, call) {
      await clock.sleep(ms, call.signal);
      return replica.claim(name, call);
    },
  });
}

/** Delivers at a rate, the first byte of each range after a latency. */
export function paced(
  replica: Replica,
  clock: Clock,
  { rate, latencyMs = 10 }: { readonly rate: number; readonly latencyMs?: number },
): Replica {
  return altered(replica, {
    async *read(request, call) {
      await clock.sleep(latencyMs, call.signal);
      for await (const chunk of replica.read(request, call)) {
        await clock.sleep((chunk.bytes.length / rate) * 1000, call.signal);
        yield chunk;
      }
    },
  });
}

/** Flips a bit of the byte at `offset` as often as it is asked for it, or so many times. */
export function corruptAt(
  replica: Replica,
  offset: number,
  times = Number.POSITIVE_INFINITY,
): Replica {
  let left = times;
  return altered(replica, {
    async *read(request, call) {
      for await (const chunk of replica.read(request, call)) {
        const at = offset - chunk.offset;
        const bytes = Uint8Array.from(chunk.bytes);
        const byte = bytes[at];
        if (byte !== undefined && left-- > 0) bytes[at] = byte ^ 1;
        yield { offset: chunk.offset, bytes };
      }
    },
  });
}

/** Breaks off after so many chunks, and cannot be reached from then on. */
export function dyingAfter(replica: Replica, chunks: number): Replica {
  let left = chunks;
  const dead = () => left < 0;
  return altered(replica, {
    claim: async (name, call) => (dead() ? thrown(unreachable) : replica.claim(name, call)),
    pieces: async (request, call) => (dead() ? thrown(unreachable) : replica.pieces(request, call)),
    async *read(request, call) {
      for await (const chunk of replica.read(request, call)) {
        left--;
        if (dead()) thrown(unreachable);
        yield chunk;
      }
    },
  });
}

/** Sends a byte more than it was asked for. */
export function overrunning(replica: Replica): Replica {
  return rewritten(replica, function* (chunk, { end }) {
    const isLast = chunk.offset + chunk.bytes.length === end;
    yield isLast ? { ...chunk, bytes: Buffer.concat([chunk.bytes, Buffer.alloc(1)]) } : chunk;
  });
}

/** Says of each chunk that it lies a byte further on. */
export function misplacing(replica: Replica): Replica {
  return rewritten(replica, function* ({ offset, bytes }) {
    yield { offset: offset + 1, bytes };
  });
}

/** Sends the second half of each chunk before the first. */
export function reordering(replica: Replica): Replica {
  return rewritten(replica, function* ({ offset, bytes }) {
    const half = Math.ceil(bytes.length / 2);
    if (half < bytes.length) yield { offset: offset + half, bytes: bytes.subarray(half) };
    yield { offset, bytes: bytes.subarray(0, half) };
  });
}

/** Ends each range half way, as if that were all. */
export function endingEarly(replica: Replica): Replica {
  return altered(replica, {
    read(request, call) {
      const { start, end } = request.range;
      const range = { start, end: start + Math.floor((end - start) / 2) };
      return replica.read({ ...request, range }, call);
    },
  });
}

/** Sends empty chunks for ever. */
export function babbling(replica: Replica): Replica {
  return altered(replica, {
    async *read({ range }, { signal }) {
      for (;;) {
        await turn(signal);
        yield { offset: range.start, bytes: new Uint8Array(0) };
      }
    },
  });
}

/** Every read fails with this fault, or the first so many. */
export function refusing(
  replica: Replica,
  fault: Fault,
  times = Number.POSITIVE_INFINITY,
): Replica {
  let left = times;
  return altered(replica, {
    async *read(request, call) {
      await turn(call.signal);
      if (left-- > 0) thrown(fault);
      yield* replica.read(request, call);
    },
  });
}

/** The first questions for a claim meet these faults, one after the other. */
export function claimingAfter(replica: Replica, faults: Iterable<Fault>): Replica {
  const rest = faults[Symbol.iterator]();
  return altered(replica, {
    async claim(name, call) {
      const next = rest.next();
      return next.done ? replica.claim(name, call) : thrown(next.value);
    },
  });
}

/** Gives a piece list in which one bit is wrong. */
export function wrongPieces(replica: Replica): Replica {
  return altered(replica, {
    async pieces(request, call) {
      const listed = await replica.pieces(request, call);
      const digests = Uint8Array.from(listed.digests);
      digests[0] = (digests[0] ?? 0) ^ 1;
      return { ...listed, digests };
    },
  });
}

/** Asked for its piece list, it fails with this fault, or the first so many times. */
export function refusingPieces(
  replica: Replica,
  fault: Fault,
  times = Number.POSITIVE_INFINITY,
): Replica {
  let left = times;
  const pieces: Replica["pieces"] = async (request, call) =>
    left-- > 0 ? thrown(fault) : replica.pieces(request, call);
  return altered(replica, { pieces });
}

/** A foreign server with the core calls only: no root, no piece list. */
export function withoutPieces(replica: Replica): Replica {
  const fault: Fault = { kind: "incompatible", detail: "unimplemented" };
  return claiming(altered(replica, { pieces: async () => thrown(fault) }), (honest) => {
    return { ...honest, claim: { ...honest.claim, root: undefined } };
  });
}

/** Claims another file of the same size. */
export function lying(replica: Replica, lie = "a lie"): Replica {
  return claiming(replica, (honest) => {
    const invented = digestOf(Buffer.from(lie));
    return { ...honest, claim: { ...honest.claim, digest: invented, root: invented } };
  });
}

/** Claims something else each time, the truth never. */
export function fickle(replica: Replica): Replica {
  let asked = 0;
  return altered(replica, {
    claim: (name, call) => lying(replica, `lie ${++asked}`).claim(name, call),
  });
}

/** Answers for another name than it was asked for. */
export function renaming(replica: Replica): Replica {
  return claiming(replica, (honest) => ({ ...honest, name: "another.bin" }));
}

function claiming(replica: Replica, change: (honest: NamedClaim) => NamedClaim): Replica {
  return altered(replica, {
    claim: async (name, call) => change(await replica.claim(name, call)),
  });
}

function rewritten(
  replica: Replica,
  change: (chunk: Chunk, range: ReadRequest["range"]) => Iterable<Chunk>,
): Replica {
  return altered(replica, {
    async *read(request, call) {
      for await (const chunk of replica.read(request, call)) yield* change(chunk, request.range);
    },
  });
}

async function* firstChunks(
  replica: Replica,
  request: ReadRequest,
  call: Call,
  chunks: number,
): AsyncGenerator<Chunk> {
  let left = chunks;
  if (left === 0) return;
  for await (const chunk of replica.read(request, call)) {
    yield chunk;
    if (--left === 0) return;
  }
}
