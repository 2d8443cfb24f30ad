/**
 * Reads that begin with the vote, so that bytes flow while the agreement is found: the n-th replica
 * is asked for the n-th range of the file, before anybody knows whether there is one. What comes
 * waits in memory, and is checked piece by piece like everything else.
 */

import { assert } from "../errors.js";
import { limits } from "../limits.js";
import type { Chunk, Replica } from "../ports.js";
import type { Decision } from "../schedule/decision.js";
import type { Layout } from "../schedule/pieces.js";
import type { Range } from "../schedule/range.js";
import type { Scheduler } from "../schedule/scheduler.js";
import type { ReplicaId } from "../trust/quorum.js";

interface EarlyRead {
  readonly range: Range;
  readonly abort: AbortController;
  readonly chunks: AsyncIterator<Chunk>;
  /** The first chunk, asked for already. */
  readonly first: Promise<IteratorResult<Chunk>>;
}

export class EarlyReads {
  readonly #reads = new Map<ReplicaId, EarlyRead>();
  readonly #onLost: (replica: ReplicaId, bytes: number) => void;

  /** `onLost`: told of bytes that came and that nobody takes. */
  constructor(onLost: (replica: ReplicaId, bytes: number) => void) {
    this.#onLost = onLost;
  }

  /** Asks the first few replicas. Whatever goes wrong here is nobody's fault. */
  begin(name: string, replicas: ReadonlyMap<ReplicaId, Replica>): void {
    let start = 0;
    for (const [id, replica] of [...replicas].slice(0, limits.earlyReads)) {
      const range = { start, end: start + limits.earlyBytes };
      const abort = new AbortController();
      const request = { name, range, ifDigest: undefined, isEarly: true };
      const call = { signal: abort.signal, deadlineMs: limits.surveyMs, lane: 0 };
      const chunks = replica.read(request, call)[Symbol.asyncIterator]();
      const first = chunks.next();
      first.catch(() => {
        // Whoever takes the read gets the error.
      });
      this.#reads.set(id, { range, abort, chunks, first });
      start = range.end;
    }
  }

  /**
   * Makes each read the first lease of its replica. Ends those of replicas that do not take part,
   * and those whose range is not whole pieces of the file.
   */
  adopted(scheduler: Scheduler, now: number): Decision[] {
    const decisions: Decision[] = [];
    for (const [replica, { range, ...read }] of this.#reads) {
      const pieces = piecesIn(range, scheduler.layout);
      const isWanted = scheduler.scoreOf(replica)?.standing === "good";
      if (isWanted && pieces !== undefined) decisions.push(scheduler.adopt(replica, pieces, now));
      else this.#end(replica, read);
    }
    return decisions;
  }

  /** The chunks of a replica's read, which ends when the signal is aborted. */
  take(replica: ReplicaId, signal: AbortSignal): AsyncIterable<Chunk> {
    const read = this.#reads.get(replica);
    assert(read !== undefined, `${replica} is being read`);
    this.#reads.delete(replica);
    return readOn(read, signal);
  }

  /** Ends all reads that nobody took. */
  [Symbol.dispose](): void {
    for (const [replica, read] of this.#reads) this.#end(replica, read);
  }

  #end(replica: ReplicaId, { abort, chunks, first }: Omit<EarlyRead, "range">): void {
    this.#reads.delete(replica);
    abort.abort();
    first
      .then(({ done, value }) => {
        if (done !== true) this.#onLost(replica, value.bytes.length);
        return chunks.return?.();
      })
      .catch(() => {
        // Nobody wanted it, so nobody needs to know.
      });
  }
}

function piecesIn({ start, end }: Range, { size, pieceBytes }: Layout): Range | undefined {
  if (end > size || limits.earlyBytes % pieceBytes !== 0) return undefined;
  return { start: start / pieceBytes, end: end / pieceBytes };
}

async function* readOn(
  { abort, first, chunks }: EarlyRead,
  signal: AbortSignal,
): AsyncGenerator<Chunk> {
  const end = () => abort.abort(signal.reason);
  signal.addEventListener("abort", end, { once: true });
  try {
    for (let step = await first; step.done !== true; step = await chunks.next()) yield step.value;
  } finally {
    signal.removeEventListener("abort", end);
    await chunks.return?.();
  }
}
