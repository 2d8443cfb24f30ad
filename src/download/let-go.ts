/** Lets go of whoever is still being asked once an answer is there: nobody would hear of it. */

/** Runs `use` with a signal that is aborted by `signal`, and in any case once `use` is done. */
export async function thenLetGo<Result>(
  signal: AbortSignal,
  use: (signal: AbortSignal) => Promise<Result>,
): Promise<Result> {
  const end = new AbortController();
  try {
    return await use(AbortSignal.any([signal, end.signal]));
  } finally {
    end.abort();
  }
}
