/** Renames without overwriting where `link` cannot be used. */

import { spawn } from "node:child_process";
import { errorCode, storageError } from "./storage-error.js";

/**
 * Renames within one folder, unless `to` exists, by `mv -n`: coreutils ask the kernel for
 * RENAME_NOREPLACE, for which Node has no call. Whether it renamed is for the caller to look at,
 * since `mv -n` says nothing of what it left alone; gives what it complained of, if it did.
 */
export function moveIfFree(
  from: string,
  to: string,
): Promise<"no such program" | (string & {}) | undefined> {
  return new Promise((resolve, reject) => {
    const child = spawn("mv", ["-nT", "--", from, to], {
      stdio: ["ignore", "ignore", "pipe"],
      env: { ...process.env, LC_ALL: "C" },
    });
    let said = "";
    child.stderr?.on("data", (text: Buffer) => {
      said += text.toString("utf8");
    });
    child.once("error", (error) => {
      if (errorCode(error) === "ENOENT") resolve("no such program");
      else reject(storageError("run", "mv", error));
    });
    child.once("close", (code) => resolve(code === 0 ? undefined : said.trim() || `mv: ${code}`));
  });
}
