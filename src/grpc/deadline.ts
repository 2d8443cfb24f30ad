/** Ends a call when its time is up or its signal says so, and says which of them it was. */

import { type Call, ReplicaFault } from "../ports.js";
import type { LateClock } from "../schedule/faults.js";

/** A call's time and signal. */
export class Deadline implements Disposable {
  readonly #call: Call;
  readonly #clock: LateClock;
  readonly #abort = new AbortController();
  readonly #timer: NodeJS.Timeout;
  readonly #onAbort = () => this.#abort.abort();
  readonly #startedAt = performance.now();
  readonly #ms: number;
  #isOver = false;

  constructor(call: Call, clock: LateClock) {
    call.signal.throwIfAborted();
    this.#call = call;
    this.#clock = clock;
    // Beyond 2^31-1 ms the server's timer wraps, and the stream dies at once; eight digits fit the
    // header.
    this.#ms = Math.max(1, Math.min(Math.ceil(call.deadlineMs), 99_999_999));
    this.#timer = setTimeout(() => {
      this.#isOver = true;
      this.#abort.abort();
    }, this.#ms);
    call.signal.addEventListener("abort", this.#onAbort, { once: true });
  }

  /** Aborted when the time is up, or by the caller. */
  get signal(): AbortSignal {
    return this.#abort.signal;
  }

  /** What is left of the time, as a `grpc-timeout` header says it. */
  get timeout(): string {
    const leftMs = this.#ms - (performance.now() - this.#startedAt);
    return `${Math.max(1, Math.ceil(leftMs))}m`;
  }

  throwIfOver(): void {
    if (this.#abort.signal.aborted) throw this.#reason();
  }

  /** What an error of the call means: the caller's own abort, a deadline, or the error itself. */
  meaningOf(error: unknown): unknown {
    if (this.#abort.signal.aborted) return this.#reason();
    const isLate = error instanceof ReplicaFault && error.fault.kind === "late";
    return isLate ? this.#late(error) : error;
  }

  [Symbol.dispose](): void {
    clearTimeout(this.#timer);
    this.#call.signal.removeEventListener("abort", this.#onAbort);
  }

  #reason(): unknown {
    if (!this.#isOver) return this.#call.signal.reason;
    return this.#late(undefined);
  }

  #late(cause: unknown): ReplicaFault {
    const waitedMs = performance.now() - this.#startedAt;
    return new ReplicaFault({ kind: "late", clock: this.#clock, waitedMs }, { cause });
  }
}
