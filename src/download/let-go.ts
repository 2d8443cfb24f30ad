/** Lets go of whoever is still being asked once an answer is there: nobody would hear of it. */

import { setMaxListeners } from "node:events";

/** Runs `use` with a signal that is aborted by `signal`, and in any case once `use` is done. */
export async function thenLetGo<Result>(
  signal: AbortSignal,
  use: (signal: AbortSignal) => Promise<Result>,
): Promise<Result> {
  const end = new AbortController();
  const either = AbortSignal.any([signal, end.signal]);
  // Every replica's call listens to it, and Node takes more than ten listeners for a leak.
  setMaxListeners(0, either);
  try {
    return await use(either);
  } finally {
    end.abort();
  }
}
