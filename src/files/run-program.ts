/** Runs a small program of the system, for what Node has no call for. */

import { spawn } from "node:child_process";
import { errorCode, storageError } from "./storage-error.js";

/** How a program ended. */
export type ProgramEnd =
  | { readonly kind: "missing" }
  | {
      readonly kind: "ended";
      /** `null` when a signal ended it. */
      readonly code: number | null;
      readonly killedBy: NodeJS.Signals | null;
      /** What it complained of, in English. */
      readonly said: string;
    };

/**
 * Runs a program to its end; `fd` is its descriptor 3. Rejects with a StorageError when it cannot be
 * started although it is there.
 */
export function runProgram(
  program: string,
  args: readonly string[],
  fd?: number,
): Promise<ProgramEnd> {
  return new Promise((resolve, reject) => {
    const child = spawn(program, args, {
      stdio: ["ignore", "ignore", "pipe", ...(fd === undefined ? [] : [fd])],
      env: { ...process.env, LC_ALL: "C" },
    });
    let said = "";
    child.stderr?.on("data", (text: Buffer) => {
      said += text.toString("utf8");
    });
    child.once("error", (error) => {
      if (errorCode(error) === "ENOENT") resolve({ kind: "missing" });
      else reject(storageError("run", program, error));
    });
    child.once("close", (code, killedBy) => resolve({ kind: "ended", code, killedBy, said }));
  });
}
