/** Decides how long a download still takes: by what came lately, not by the rate of this moment. */

/** Long enough that a burst or a gap hardly moves it, short enough to follow a new pace. */
const windowMs = 10_000;
/** Below that the rate of the moment says more. */
const leastMs = 1000;

/** How far a download was, and what rate it had as of then. */
export interface Progress {
  readonly doneBytes: number;
  readonly totalBytes: number;
  /** Bytes per second. */
  readonly rate: number;
}

/** To be told of each progress with its time, in ms; gives seconds, `Infinity` when nothing comes. */
export function timeLeft(): (progress: Progress, now: number) => number {
  let seen: { readonly at: number; readonly bytes: number }[] = [];
  return ({ doneBytes, totalBytes, rate }, now) => {
    // Bytes that were taken back, or another attempt: what came before says nothing any more.
    if (doneBytes < (seen.at(-1)?.bytes ?? 0)) seen = [];
    seen.push({ at: now, bytes: doneBytes });
    while ((seen[1]?.at ?? now) <= now - windowMs) seen.shift();
    const [first = { at: now, bytes: doneBytes }] = seen;
    const ms = now - first.at;
    const pace = ms < leastMs ? rate : ((doneBytes - first.bytes) * 1000) / ms;
    return doneBytes >= totalBytes ? 0 : (totalBytes - doneBytes) / pace;
  };
}
