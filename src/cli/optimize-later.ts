/** Decides how early V8 optimizes what a download runs. */

import { versions } from "node:process";
import { setFlagsFromString } from "node:v8";

/** Bytes of code that a function runs until V8 looks at it: fifteen times the default. */
const budgetBytes = 1_000_000;

/**
 * Has functions run for longer before they are optimized, on Node 20: most of a download is a
 * thousand small steps, and optimizing them took 0.3 CPU-seconds of the cores that hash. Later
 * versions of V8 are as patient by themselves, and no longer know this flag.
 */
export function optimizeLater(): void {
  if (versions.v8.startsWith("11.3.")) setFlagsFromString(`--interrupt-budget=${budgetBytes}`);
}
