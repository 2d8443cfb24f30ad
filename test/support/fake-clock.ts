/**
 * A clock in virtual time: whenever everything else is idle, it moves on to whoever sleeps the
 * shortest. Nobody who uses it waits for real.
 */

import type { Clock } from "../../src/ports.js";

interface Sleeper {
  readonly at: number;
  readonly wake: () => void;
}

/**
 * Turns of the event loop without a new sleep or an ended one after which all are idle. What works
 * without sleeping, such as a replica in memory, has so many turns between two sleepers.
 */
const idleTurns = 8;

export class FakeClock implements Clock {
  #now: number;
  #sleepers: Sleeper[] = [];
  #quietTurns = 0;
  #isTurning = false;

  constructor(now = 1_000) {
    this.#now = now;
  }

  now(): number {
    return this.#now;
  }

  sleep(ms: number, signal?: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      if (signal?.aborted) {
        reject(signal.reason);
        return;
      }
      const onAbort = () => {
        this.#remove(sleeper);
        reject(signal?.reason);
      };
      const wake = () => {
        signal?.removeEventListener("abort", onAbort);
        resolve();
      };
      const sleeper = { at: this.#now + Math.max(0, ms), wake };
      signal?.addEventListener("abort", onAbort, { once: true });
      this.#sleepers.push(sleeper);
      this.#quietTurns = 0;
      this.#turn();
    });
  }

  /** Time passes at one go, as it does for a process that was stopped: nobody wakes between. */
  jump(ms: number): void {
    this.#now += ms;
  }

  #remove(sleeper: Sleeper): void {
    this.#sleepers = this.#sleepers.filter((other) => other !== sleeper);
    this.#quietTurns = 0;
  }

  #turn(): void {
    if (this.#isTurning) return;
    this.#isTurning = true;
    setImmediate(() => {
      this.#isTurning = false;
      this.#quietTurns++;
      if (this.#quietTurns >= idleTurns) this.#wakeNext();
      if (this.#sleepers.length > 0) this.#turn();
    });
  }

  #wakeNext(): void {
    const at = Math.min(...this.#sleepers.map((sleeper) => sleeper.at));
    const next = this.#sleepers.find((sleeper) => sleeper.at === at);
    if (next === undefined) return;
    this.#now = Math.max(this.#now, at);
    this.#remove(next);
    next.wake();
  }
}
