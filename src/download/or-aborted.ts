/** Waits for what nobody can take back, for no longer than somebody wants it. */

/** What the promise gives; rejects with the signal's reason if that comes first. */
export async function orAborted<Result>(
  promise: Promise<Result>,
  signal: AbortSignal,
): Promise<Result> {
  signal.throwIfAborted();
  const end = new AbortController();
  const aborted = new Promise<never>((_, reject) => {
    const options = { once: true, signal: end.signal };
    signal.addEventListener("abort", () => reject(signal.reason), options);
  });
  try {
    return await Promise.race([promise, aborted]);
  } finally {
    end.abort();
  }
}
