/** Gives memory back that nobody needs any more. */

import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";

/**
 * Collects garbage now, for some 10 ms. V8 by itself waits until somebody wants more memory, and a
 * server that has become idle after a flood would hold all of it for hours.
 */
export function collectGarbage(): void {
  // Node hands the collector out only with a flag, and to contexts that were made under it.
  setFlagsFromString("--expose-gc");
  const collect: unknown = runInNewContext("gc");
  setFlagsFromString("--no-expose-gc");
  if (typeof collect === "function") collect();
}
