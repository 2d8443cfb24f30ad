/** Reads certificates, keys and tokens, and tells when they were changed. */

import { readFile, stat } from "node:fs/promises";
import { UsageError } from "../errors.js";
import { limits } from "../limits.js";
import { storageErrorText } from "./storage-error.js";

/** A small file's bytes. Throws UsageError, which names flag and path, never the content. */
export async function readSecret(flag: string, path: string): Promise<Buffer> {
  try {
    if ((await stat(path)).size > limits.secretFileBytes) throw new Error("it is too large");
    return await readFile(path);
  } catch (error) {
    throw new UsageError(`${flag} ${path}: ${storageErrorText(error)}`, { cause: error });
  }
}

/** The tokens in a file: one a line; empty lines and those that begin with # are none. */
export async function readTokens(flag: string, path: string): Promise<string[]> {
  const lines = (await readSecret(flag, path)).toString("utf8").split(/\r?\n/);
  const tokens = lines.map((line) => line.trim()).filter((line) => !/^(#|$)/.test(line));
  if (tokens.length === 0) throw new UsageError(`${flag} ${path}: there is no token in it`);
  for (const token of tokens) {
    if (!/^[\x21-\x7e]+$/.test(token)) {
      throw new UsageError(`${flag} ${path}: a token is visible ASCII without spaces`);
    }
    if (token.length < limits.tokenCharacters) {
      const least = limits.tokenCharacters;
      throw new UsageError(`${flag} ${path}: a token has at least ${least} characters`);
    }
  }
  return tokens;
}

/**
 * Calls `onChange` when one of the files is another than before, until the result is disposed of.
 * Looks every few seconds: a rename into place, a mount and an editor all show in the file's state.
 */
export function watchSecrets(paths: readonly string[], onChange: () => Promise<void>): Disposable {
  let known: string | undefined;
  let isLooking = false;
  const look = async () => {
    if (isLooking) return;
    isLooking = true;
    try {
      const states = await Promise.all(paths.map(stateOf));
      const state = states.join("\n");
      if (known !== undefined && known !== state) await onChange();
      known = state;
    } finally {
      isLooking = false;
    }
  };
  const timer = setInterval(() => void look(), limits.secretsLookMs).unref();
  void look();
  return { [Symbol.dispose]: () => clearInterval(timer) };
}

async function stateOf(path: string): Promise<string> {
  try {
    const { dev, ino, size, mtimeNs, ctimeNs } = await stat(path, { bigint: true });
    return [dev, ino, size, mtimeNs, ctimeNs].join(" ");
  } catch {
    // Between two files that bear its name there may be none.
    return "gone";
  }
}
