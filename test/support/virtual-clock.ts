/**
 * Virtual time: when everything that can happen now has happened, it jumps to the next sleeper, and
 * nobody waits for real. What waits by this clock alone needs one turn of the event loop for all
 * that is ready; what also waits for other things, such as a replica in memory, some more.
 */

import type { Clock } from "../../src/ports.js";

interface Sleeper {
  readonly at: number;
  /** Equal times wake in the order in which they went to sleep, so that a run is repeatable. */
  readonly order: number;
  readonly wake: () => void;
  isCancelled: boolean;
}

export class VirtualClock implements Clock {
  readonly #idleTurns: number;
  #now: number;
  #order = 0;
  #isRunning = false;
  #quietTurns = 0;
  /** How often somebody woke. */
  turns = 0;
  /** A binary heap, the soonest first. */
  readonly #heap: Sleeper[] = [];

  /** `idleTurns`: turns without a new sleep, or an ended one, after which all are idle. */
  constructor({ now = 0, idleTurns = 1 } = {}) {
    this.#now = now;
    this.#idleTurns = idleTurns;
  }

  now(): number {
    return this.#now;
  }

  sleep(ms: number, signal?: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      if (signal?.aborted === true) {
        reject(signal.reason);
        return;
      }
      const onAbort = () => {
        sleeper.isCancelled = true;
        this.#quietTurns = 0;
        reject(signal?.reason);
      };
      const wake = () => {
        signal?.removeEventListener("abort", onAbort);
        resolve();
      };
      // However short, a sleep takes time: whoever sleeps until a time would do so for ever.
      const later = ms > 0 ? this.#now * (1 + Number.EPSILON) : this.#now;
      const at = Math.max(this.#now + ms, later);
      const sleeper: Sleeper = { at, order: this.#order++, wake, isCancelled: false };
      signal?.addEventListener("abort", onAbort, { once: true });
      this.#push(sleeper);
      this.#quietTurns = 0;
      this.#run();
    });
  }

  /** Lets time pass in which nobody wakes: a process that was stopped, a blocked event loop. */
  jump(ms: number): void {
    this.#now += ms;
  }

  #run(): void {
    if (this.#isRunning) return;
    this.#isRunning = true;
    const turn = () => {
      if (++this.#quietTurns < this.#idleTurns) {
        setImmediate(turn);
        return;
      }
      this.#quietTurns = 0;
      const next = this.#pop();
      if (next === undefined) {
        this.#isRunning = false;
        return;
      }
      this.turns++;
      this.#now = Math.max(this.#now, next.at);
      next.wake();
      setImmediate(turn);
    };
    setImmediate(turn);
  }

  #push(sleeper: Sleeper): void {
    const heap = this.#heap;
    let index = heap.push(sleeper) - 1;
    while (index > 0) {
      const parent = (index - 1) >> 1;
      if (!this.#isSooner(index, parent)) break;
      this.#swap(index, parent);
      index = parent;
    }
  }

  #pop(): Sleeper | undefined {
    const heap = this.#heap;
    for (;;) {
      const [first] = heap;
      const last = heap.pop();
      if (first === undefined || last === undefined) return undefined;
      if (heap.length > 0) {
        heap[0] = last;
        this.#sink();
      }
      if (!first.isCancelled) return first;
    }
  }

  #sink(): void {
    for (let index = 0; ; ) {
      let least = index;
      for (const child of [2 * index + 1, 2 * index + 2]) {
        if (child < this.#heap.length && this.#isSooner(child, least)) least = child;
      }
      if (least === index) return;
      this.#swap(index, least);
      index = least;
    }
  }

  #isSooner(left: number, right: number): boolean {
    const a = this.#heap[left];
    const b = this.#heap[right];
    if (a === undefined || b === undefined) return false;
    return a.at < b.at || (a.at === b.at && a.order < b.order);
  }

  #swap(left: number, right: number): void {
    const a = this.#heap[left];
    const b = this.#heap[right];
    if (a === undefined || b === undefined) return;
    this.#heap[left] = b;
    this.#heap[right] = a;
  }
}
