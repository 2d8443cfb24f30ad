/** Replicas whose calls go on until somebody ends them. */

import type { Call, Replica } from "../../src/ports.js";
import { madeUp } from "../support/made-up.js";
import { memoryReplica } from "../support/memory-replica.js";

const data = madeUp(200_000);

/** Counts, and tells when a count is reached. */
export class Tally {
  count = 0;
  readonly #waiting = new Set<() => void>();

  add(): void {
    this.count++;
    for (const look of [...this.#waiting]) look();
  }

  async reaches(count: number): Promise<void> {
    if (this.count >= count) return;
    await new Promise<void>((resolve) => {
      const look = () => {
        if (this.count < count) return;
        this.#waiting.delete(look);
        resolve();
      };
      this.#waiting.add(look);
    });
  }
}

/**
 * A replica whose reads give one chunk and then wait until they are ended; an eager one gives
 * chunks for ever.
 */
export function endlessReads({ isEager = false } = {}) {
  const begun = new Tally();
  const ended = new Tally();
  const replica: Replica = {
    ...memoryReplica({ "a.bin": data }),
    async *read(_, call) {
      begun.add();
      try {
        do yield { offset: 0, bytes: data };
        while (isEager && !call.signal.aborted);
        await untilEnded(call);
      } finally {
        ended.add();
      }
    },
  };
  return { replica, begun, ended };
}

/** Rejects with the signal's reason when the call is ended; never before. */
export function untilEnded({ signal }: Call): Promise<never> {
  return new Promise((_, reject) => {
    if (signal.aborted) reject(signal.reason);
    else signal.addEventListener("abort", () => reject(signal.reason), { once: true });
  });
}
