/** Counts time from the beginning of a download, so that every time it tells can be compared. */

import type { Clock } from "../ports.js";

/** The same clock, at 0 now. */
export function zeroed(clock: Clock): Clock {
  const startedAt = clock.now();
  return {
    now: () => clock.now() - startedAt,
    sleep: (ms, signal) => clock.sleep(ms, signal),
  };
}
