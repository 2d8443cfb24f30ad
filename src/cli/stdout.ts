/** `get -o -`: stdout carries the bytes of the file, and nothing else. */

import { stdoutFile, storageError } from "../command-line.js";
import { exitCodes, UsageError } from "../index.js";
import type { GetFlags } from "./get-flags.js";
import { reportOnStderr } from "./terminal.js";

/** The reader of stdout went away: no mistake of anybody's, and nothing to say. */
export class ReaderGone extends Error {
  override readonly name = "ReaderGone";
  readonly exitCode = exitCodes["reader-gone"];
}

/** How long a failed run waits for bytes that nobody takes before it ends all the same. */
const leaveMs = 500;

/**
 * From now on only `take` writes to stdout. `asksResume`: whether `-r` was given. Throws UsageError
 * for flags that make no sense with it.
 */
export async function giveStdout(
  flags: GetFlags,
  asksResume: boolean,
): Promise<(bytes: Uint8Array) => Promise<void>> {
  if (asksResume) {
    throw new UsageError("get: -o -: what went down a pipe cannot be resumed: leave -r out");
  }
  if (Array.isArray(flags.seed)) {
    throw new UsageError("get: -o -: an old copy cannot be taken from in order: leave --seed out");
  }
  if (process.stdout.isTTY === true && flags.force !== true) {
    throw new UsageError("get: -o -: stdout is a terminal; --force writes to it all the same");
  }
  reportOnStderr();
  return (await stdoutFile()) ?? takeToPipe;
}

/** Ends the process even if bytes are still on their way to a reader that does not read. */
export function leaveSoon(): void {
  setTimeout(() => process.exit(), leaveMs).unref();
}

function takeToPipe(bytes: Uint8Array): Promise<void> {
  return new Promise((resolve, reject) => {
    process.stdout.write(bytes, (error) => {
      if (error === null || error === undefined) resolve();
      else if ("code" in error && error.code === "EPIPE") reject(new ReaderGone());
      else reject(storageError("write", "stdout", error, "nothing"));
    });
  });
}
